#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/launch/rows.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

namespace inferd::cuda {
namespace {

// A scale or bias with one value for each element of a row.
bool CoversRow(const Graph& graph, const Node& node, int input, const SymbolicShape& x, int axis) {
  const SymbolicShape& shape = ShapeOf(graph, node.inputs[input]);
  if (!shape.has_rank()) return false;
  const Dim row = x.Product(axis, x.rank());
  return row.known() && shape.Product(0, shape.rank()).Is(row.value);
}

bool Supports(const Graph& graph, const Node& node) {
  if (!AllOperands(graph, node, IsFloatType, kMaxDims) || !HasInput(node, 1)) return false;
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != kNoValue) return false;
  }
  const SymbolicShape& x = ShapeOf(graph, node.inputs[0]);
  const auto axis = NormalizeAxis(node.attributes.Int("axis", -1), x.rank());
  return axis.ok() && CoversRow(graph, node, 1, x, *axis) &&
         (!HasInput(node, 2) || CoversRow(graph, node, 2, x, *axis)) &&
         ElementwisePlan::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", -1), shape.rank()));
  NormRequest request;
  request.type = *TypeOf(graph, node.inputs[0]);
  request.y_type = *TypeOf(graph, node.outputs[0]);
  request.scale_type = *TypeOf(graph, node.inputs[1]);
  const bool has_bias = HasInput(node, 2);
  if (has_bias) request.bias_type = *TypeOf(graph, node.inputs[2]);
  request.rows = shape.Product(0, axis);
  request.length = shape.Product(axis, shape.rank());
  request.epsilon = node.attributes.Float("epsilon", 1e-5f);
  request.centred = node.op->name == "LayerNormalization";
  const auto launch = [request, has_bias](const StepContext& context, CudaContext& cuda) {
    NormRequest norm = request;
    norm.x = context.inputs[0]->raw();
    norm.y = context.outputs[0]->mutable_raw();
    norm.scale = context.inputs[1]->raw();
    if (has_bias) norm.bias = context.inputs[2]->raw();
    LaunchNorm(norm, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "rows", launch);
}

constexpr CudaKernelDef kKernels[] = {
    {"", "LayerNormalization", Supports, LayoutPreference::kRowMajor, Prepare},
    {"", "RMSNormalization", Supports, LayoutPreference::kRowMajor, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> LayerNormKernels() { return kKernels; }

}  // namespace inferd::cuda
