#include "engine/providers/cuda/launch/gather.h"

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/strided_move.h"

namespace inferd::cuda {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  if (!CanMove(graph, node) || ShapeOf(graph, node.inputs[0]).rank() == 0) return false;
  const DType indices = DTypeOf(graph, node.inputs[1]);
  return indices == DType::kInt64 || indices == DType::kInt32;
}

// Rows as wide elements as they can be copied in.
void Widen(GatherRequest* request) {
  while (request->element_bytes < 16 && request->inner % 2 == 0) {
    request->inner /= 2;
    request->element_bytes *= 2;
  }
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), shape.rank()));
  GatherRequest request;
  request.wide_indices = DTypeOf(graph, node.inputs[1]) == DType::kInt64;
  request.element_bytes = static_cast<int>(ElementBytes(DTypeOf(graph, node.inputs[0])));
  request.outer = shape.Product(0, axis);
  request.length = shape[axis];
  request.inner = shape.Product(axis + 1, shape.rank());
  request.count = BoundShape(graph, node.inputs[1]).num_elements();
  if (request.inner > 0) Widen(&request);
  const auto launch = [request](const StepContext& context, CudaContext& cuda) {
    GatherRequest gather = request;
    gather.x = context.inputs[0]->raw();
    gather.indices = context.inputs[1]->raw();
    gather.y = context.outputs[0]->mutable_raw();
    gather.fault = cuda.fault();
    LaunchGather(gather, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "gather", launch);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "Gather", Supports, LayoutPreference::kRowMajor, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> GatherKernels() { return kKernels; }

}  // namespace inferd::cuda
