#include "engine/providers/cuda/strided_move.h"

#include <utility>

#include "engine/core/dtype.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cuda/node_checks.h"

namespace inferd::cuda {

absl::StatusOr<std::unique_ptr<BoundKernel>> MakeMoveKernel(const Graph& graph, const Node& node,
                                                            std::vector<StridedMove> moves,
                                                            bool fills, uint64_t fill) {
  const auto bytes = static_cast<int>(ElementBytes(DTypeOf(graph, node.outputs[0])));
  for (StridedMove& move : moves) {
    move.copy.element_bytes = bytes;
    move.copy = Simplified(move.copy);
  }
  const auto launch = [moves, fills, fill, bytes](const StepContext& context, CudaContext& cuda) {
    if (fills) {
      Tensor& output = *context.outputs[0];
      LaunchFill(output.mutable_raw(), bytes, output.num_elements(), fill, cuda.stream());
    }
    for (const StridedMove& move : moves) {
      if (context.outputs[move.output] == nullptr) continue;
      CopyRequest copy = move.copy;
      copy.from = context.inputs[move.input]->raw();
      copy.to = context.outputs[move.output]->mutable_raw();
      LaunchCopy(copy, cuda.stream());
    }
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "move", launch);
}

bool CanMove(const Graph& graph, const Node& node, bool all_inputs) {
  if (!node.epilogue.empty()) return false;
  const auto fits = [&](ValueId id) {
    const ValueType& type = graph.value(id).type;
    return type.is_tensor() && TypeOf(type.dtype).has_value() && type.shape.has_rank() &&
           type.shape.rank() <= kMaxDims && type.dtype == DTypeOf(graph, node.inputs[0]);
  };
  const int inputs = all_inputs ? node.num_op_inputs() : 1;
  for (int i = 0; i < inputs; ++i) {
    if (node.inputs[i] == kNoValue || !fits(node.inputs[i])) return false;
  }
  for (ValueId output : node.outputs) {
    if (output != kNoValue && !fits(output)) return false;
  }
  return !node.outputs.empty() && node.outputs[0] != kNoValue;
}

}  // namespace inferd::cuda
