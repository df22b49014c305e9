#include <utility>

#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/parts_kernel.h"

// Concat and Split: one block copy for each part that does not lie in its place already.
namespace inferd::cpu {
namespace {

bool SupportsConcat(const Graph& graph, const Node& node) {
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (!IsPlainTensor(graph, node, i)) return false;
  }
  return ElementwiseChain::SupportsEpilogue(graph, node);
}

// Every part must be wanted: the sizes of unwanted ones stand nowhere in the bound graph.
bool SupportsSplit(const Graph& graph, const Node& node) {
  for (const ValueId id : node.outputs) {
    if (id == kNoValue) return false;
  }
  return IsPlainTensor(graph, node, 0) && node.epilogue.empty();
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     bool joins) {
  const Value& whole = joins ? OutputValue(graph, node) : InputValue(graph, node, 0);
  const Shape::Dims strides = BoundStrides(whole);
  ASSIGN_OR_RETURN(const int axis,
                   NormalizeAxis(node.attributes.Int("axis", 0), static_cast<int>(strides.size())));
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  auto kernel = std::make_unique<PartsKernel>(joins, std::move(epilogue));
  const int parts = joins ? node.num_op_inputs() : static_cast<int>(node.outputs.size());
  int64_t start = 0;
  for (int i = 0; i < parts; ++i) {
    const Value& part = joins ? InputValue(graph, node, i) : OutputValue(graph, node, i);
    kernel->Add(part, whole, strides, start);
    start += BoundShape(part)[axis] * strides[axis];
  }
  return kernel;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareConcat(const Graph& graph, const Node& node,
                                                           const PrepareContext&) {
  return Prepare(graph, node, /*joins=*/true);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareSplit(const Graph& graph, const Node& node,
                                                          const PrepareContext&) {
  return Prepare(graph, node, /*joins=*/false);
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Concat", SupportsConcat, AnyLayout, PrepareConcat},
    {"", "Split", SupportsSplit, AnyLayout, PrepareSplit},
};

}  // namespace

absl::Span<const CpuKernelDef> JoinKernels() { return kKernels; }

}  // namespace inferd::cpu
