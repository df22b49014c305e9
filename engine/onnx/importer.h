#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/recoverable_bytes.h"
#include "engine/graph/graph.h"
#include "engine/graph/model_metadata.h"
#include "engine/ops/op_registry.h"

namespace inferd {

// A model as read from its file: a sorted graph of canonical operators and what the file says about
// itself. A value type.
struct ImportedModel {
  // The graph's large initializers are recoverable members of this: see RecoverableBytes.
  std::shared_ptr<RecoverySet> recovery;
  std::string identity;  // of the file, see ByteSource
  Graph graph;
  ModelMetadata metadata;
};

// Reads the ONNX file at `path`; external data is looked up in its folder and nowhere else.
// Initializers are constants even where the graph lists them as inputs too: such inputs are
// dropped. Model-local functions are inlined and older opsets brought to the newest. The file with
// its external data stays open while a large initializer lives, and may take `max_model_bytes`.
// Errors name the file and the node or tensor, what was expected and what was found; hostile files
// give errors, never more. Nodes are of the operators in `registry`, which must outlive the graph.
absl::StatusOr<ImportedModel> ImportOnnx(const std::string& path, int64_t max_model_bytes,
                                         const OpRegistry& registry = OpRegistry::Builtin());

// The same for a model in memory. `folder` is where external data lies; empty: nowhere.
absl::StatusOr<ImportedModel> ImportOnnxBytes(absl::string_view bytes, const std::string& folder,
                                              int64_t max_model_bytes,
                                              const OpRegistry& registry = OpRegistry::Builtin());

}  // namespace inferd
