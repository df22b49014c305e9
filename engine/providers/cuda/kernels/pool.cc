#include "engine/providers/cuda/launch/pool.h"

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/pooling.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/moving_window.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

namespace inferd::cuda {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  const auto fits = [&](ValueId id) {
    const ValueType& type = graph.value(id).type;
    return type.is_tensor() && IsFloatType(type.dtype) && type.shape.rank() >= 3 &&
           type.shape.rank() <= 5;
  };
  // Where the maxima were found is for others.
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue) return false;
  return fits(node.inputs[0]) && fits(node.outputs[0]) &&
         ElementwisePlan::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape x = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const Window window, ResolvePool(node.attributes, x));
  PoolRequest request;
  request.type = *TypeOf(graph, node.inputs[0]);
  request.average = node.op->name == "AveragePool";
  request.count_pads = node.attributes.Int("count_include_pad", 0) != 0;
  request.batch = x[0];
  request.channels = x[1];
  request.channels_last = graph.value(node.inputs[0]).layout == Layout::kChannelsLast;
  request.window = MovingWindowOf(window);
  const auto launch = [request](const StepContext& context, CudaContext& cuda) {
    PoolRequest pool = request;
    pool.x = context.inputs[0]->raw();
    pool.y = context.outputs[0]->mutable_raw();
    LaunchPool(pool, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "pool", launch);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "MaxPool", Supports, LayoutPreference::kAny, Prepare},
    {"", "AveragePool", Supports, LayoutPreference::kAny, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> PoolKernels() { return kKernels; }

}  // namespace inferd::cuda
