#pragma once

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/graph/attributes.h"

namespace inferd {

class InferContext;
class KernelContext;

inline constexpr int kVariadic = 1 << 20;

// One attribute an operator takes.
struct AttributeSpec {
  absl::string_view name;
  AttributeKind kind;
  bool required = false;
};

// How an operator treats its elements; passes and the planner rely on it.
enum class OpClass : uint8_t {
  kOther,
  // Output element i depends on input elements i alone, with broadcasting. Same-shape inputs may
  // share storage with the output.
  kElementwise,
  // The output is the first input's bytes under another shape (Reshape, Squeeze, Identity...):
  // planned as a view, no step.
  kView,
  // If, Loop, Scan, SequenceMap: a step kind of its own with subgraphs; `compute` is null.
  kControlFlow,
};

// The meaning of an operator in its canonical (newest) version: what it takes, its shape rule and
// the portable kernel, which is written to be obviously right. Immutable after registration.
struct OpDef {
  absl::string_view domain;  // "" is ai.onnx; "ai.onnx.ml"; "com.microsoft"; "inferd"
  absl::string_view name;
  int since = 1;  // the canonical version: importers up-convert older nodes to this form
  int min_inputs = 1;
  int max_inputs = 1;  // kVariadic for any number
  int min_outputs = 1;
  int max_outputs = 1;
  std::vector<AttributeSpec> attributes;
  OpClass op_class = OpClass::kOther;
  bool deterministic = true;  // false: never folded or merged (random operators)
  bool shape_only = false;    // the outputs depend on the inputs' shapes alone (Shape, Size)
  // Type and shape rule. Runs while compiling (dimensions may be unknown), when shapes are bound,
  // and before a dynamic step. Must set the type of every output.
  std::function<absl::Status(InferContext& context)> infer;
  // Portable kernel over row-major tensors; null for control flow.
  std::function<absl::Status(KernelContext& context)> compute;
};

}  // namespace inferd
