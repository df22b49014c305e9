#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/launch/rows.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

namespace inferd::cuda {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return AllOperands(graph, node, IsFloatType, kMaxDims) &&
         ShapeOf(graph, node.inputs[0]).rank() > 0 &&
         ElementwisePlan::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", -1), shape.rank()));
  const RowShape rows = {shape.Product(0, axis), shape[axis],
                         shape.Product(axis + 1, shape.rank())};
  const Type type = *TypeOf(graph, node.inputs[0]);
  const bool log = node.op->name == "LogSoftmax";
  const auto launch = [=](const StepContext& context, CudaContext& cuda) {
    LaunchSoftmax(context.inputs[0]->raw(), context.outputs[0]->mutable_raw(), type, rows, log,
                  cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "rows", launch);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "Softmax", Supports, LayoutPreference::kRowMajor, Prepare},
    {"", "LogSoftmax", Supports, LayoutPreference::kRowMajor, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> SoftmaxKernels() { return kKernels; }

}  // namespace inferd::cuda
