#pragma once

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/core/status_macros.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// A bound kernel made of one function (StepContext) -> absl::Status, followed by the node's
// epilogue over output 0. Immutable.
template <typename Fn>
class StepKernel : public BoundKernel {
 public:
  StepKernel(Fn fn, ElementwiseChain epilogue, std::string description, int64_t scratch_bytes)
      : fn_(std::move(fn)),
        epilogue_(std::move(epilogue)),
        description_(std::move(description)),
        scratch_bytes_(scratch_bytes) {}

  absl::Status Run(const StepContext& context) const override {
    RETURN_IF_ERROR(fn_(context));
    epilogue_.ApplyAll(context);
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override { return scratch_bytes_; }
  std::string description() const override { return description_; }

 private:
  const Fn fn_;
  const ElementwiseChain epilogue_;
  const std::string description_;
  const int64_t scratch_bytes_;
};

template <typename Fn>
absl::StatusOr<std::unique_ptr<BoundKernel>> MakeStepKernel(const Graph& graph, const Node& node,
                                                            std::string description, Fn fn,
                                                            int64_t scratch_bytes = 0) {
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  return std::make_unique<StepKernel<Fn>>(std::move(fn), std::move(epilogue),
                                          std::move(description), scratch_bytes);
}

// Questions about a node's values. Shapes and layouts are those of bound nodes.
inline bool HasOperand(const Node& node, int i) {
  return i < node.num_op_inputs() && node.inputs[i] != kNoValue;
}
inline bool HasOutput(const Node& node, int i) {
  return i < static_cast<int>(node.outputs.size()) && node.outputs[i] != kNoValue;
}
inline const Value& InputValue(const Graph& graph, const Node& node, int i) {
  return graph.value(node.inputs[i]);
}
inline const Value& OutputValue(const Graph& graph, const Node& node, int i = 0) {
  return graph.value(node.outputs[i]);
}
inline DType InputDType(const Graph& graph, const Node& node, int i) {
  return HasOperand(node, i) ? InputValue(graph, node, i).type.dtype : DType::kInvalid;
}
inline DType OutputDType(const Graph& graph, const Node& node) {
  return OutputValue(graph, node).type.dtype;
}
// Whether input 0 and output 0 are each float32 or bfloat16.
inline bool MapsFloats(const Graph& graph, const Node& node) {
  return IsFloatOrBfloat16(InputDType(graph, node, 0)) && HasOutput(node, 0) &&
         IsFloatOrBfloat16(OutputDType(graph, node));
}
inline Shape BoundShape(const Value& value) { return value.type.shape.ToShape(); }
inline Shape::Dims BoundStrides(const Value& value) {
  return DenseStrides(BoundShape(value), value.layout);
}
// Operand i as a constant; null when absent or not known.
inline const Tensor* ConstantOperand(const Graph& graph, const Node& node, int i) {
  return HasOperand(node, i) ? graph.constant(node.inputs[i]) : nullptr;
}
// Whether input i has a known rank of at least 1.
inline bool HasKnownRank(const Graph& graph, const Node& node, int i) {
  return HasOperand(node, i) && InputValue(graph, node, i).type.shape.rank() >= 1;
}

inline LayoutPreference RowMajorOnly(const Graph&, const Node&) {
  return LayoutPreference::kRowMajor;
}
inline LayoutPreference AnyLayout(const Graph&, const Node&) { return LayoutPreference::kAny; }

}  // namespace inferd::cpu
