#include "engine/providers/cuda/launch/top_k.h"

#include <cstdint>
#include <optional>

#include "engine/core/dtype.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cuda/node_checks.h"
#include "engine/providers/cuda/step_kernel.h"

namespace inferd::cuda {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  const std::optional<Type> type = TypeOf(graph, node.inputs[0]);
  const SymbolicShape& shape = ShapeOf(graph, node.inputs[0]);
  // Shapes on a device are known, and so is k.
  return type && *type != Type::kBool && shape.has_rank() && shape.rank() > 0 &&
         HasInput(node, 1) && graph.constant(node.inputs[1]) != nullptr && node.epilogue.empty();
}

constexpr uint64_t kHoldsK = 1 << 1;

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext&) {
  const Shape shape = BoundShape(graph, node.inputs[0]);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", -1), shape.rank()));
  TopKRequest request;
  request.type = *TypeOf(graph, node.inputs[0]);
  request.element_bytes = static_cast<int>(ElementBytes(DTypeOf(graph, node.inputs[0])));
  request.largest = node.attributes.Int("largest", 1) != 0;
  request.size = shape[axis];
  // Counters are of 32 bits.
  if (request.size > INT32_MAX) return absl::UnimplementedError("a line is too long");
  request.inner = shape.Product(axis + 1, shape.rank());
  request.lines = shape.Product(0, axis) * request.inner;
  request.k = BoundShape(graph, node.outputs[0])[axis];
  const auto launch = [request](const StepContext& context, CudaContext& cuda) {
    TopKRequest top = request;
    top.x = context.inputs[0]->raw();
    top.values = context.outputs[0]->mutable_raw();
    if (context.outputs.size() > 1 && context.outputs[1] != nullptr) {
      top.indices = static_cast<int64_t*>(context.outputs[1]->mutable_raw());
    }
    top.scratch = context.scratch;
    LaunchTopK(top, cuda.stream());
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, "radix select", launch,
                        {.scratch_bytes = TopKScratchBytes(request), .held_inputs = kHoldsK});
}

constexpr CudaKernelDef kKernels[] = {
    {"", "TopK", Supports, LayoutPreference::kRowMajor, Prepare},
};

}  // namespace

absl::Span<const CudaKernelDef> TopKKernels() { return kKernels; }

}  // namespace inferd::cuda
