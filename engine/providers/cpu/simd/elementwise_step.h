#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"

namespace inferd::cpu {

// One elementwise operator application, as the node itself or as a step of an epilogue.
struct StepRequest {
  const Graph& graph;
  const OpDef& op;
  const Attributes& attributes;
  std::vector<ValueId> operands;  // kNoValue where an optional operand is absent
  ValueId output;                 // its type gives the result's dtype, shape and layout
};

// A prepared elementwise operator that can compute any range of its output, counted in the order
// of the output's memory. An operand with the output's shape and layout may share its storage.
// A step that takes floats sees bfloat16 numbers widened: the output, and the operands that lie in
// memory as the output does; it widens other operands itself. Immutable.
class ElementwiseStep {
 public:
  virtual ~ElementwiseStep() = default;
  // operands[i] is the storage of StepRequest::operands[i], null where absent.
  virtual void Run(absl::Span<const void* const> operands, void* output, int64_t begin,
                   int64_t end) const = 0;
  virtual bool takes_floats() const { return false; }
};

// One group of elementwise operators.
struct ElementwiseFamily {
  // Also asked with symbolic shapes.
  bool (*supports)(const StepRequest& request);
  absl::StatusOr<std::unique_ptr<ElementwiseStep>> (*make)(const StepRequest& request);
};

// The families, one per file elementwise_<family>.cc.
ElementwiseFamily UnaryFamily();    // one float in, one float out
ElementwiseFamily BinaryFamily();   // two floats in, one float out
ElementwiseFamily CompareFamily();  // comparisons and logic to bool
ElementwiseFamily IntegerFamily();  // integer arithmetic
ElementwiseFamily SelectFamily();   // Where
ElementwiseFamily CastFamily();     // Cast between numbers and bool

// Whether any family takes the request, and the step from the first that does.
bool SupportsStep(const StepRequest& request);
absl::StatusOr<std::unique_ptr<ElementwiseStep>> MakeStep(const StepRequest& request);

// Accessors for families.
DType OperandType(const StepRequest& request, size_t i);  // kInvalid when absent
DType OutputType(const StepRequest& request);
// Whether this is a type that a step which takes floats can have: float32, or bfloat16.
bool IsFloatOrBfloat16(DType dtype);
// Whether operand i has the output's shape and layout, known sizes required.
bool LiesAsOutput(const StepRequest& request, size_t i);
bool HasOperand(const StepRequest& request, size_t i);

}  // namespace inferd::cpu
