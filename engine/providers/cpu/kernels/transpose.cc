#include <vector>

#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"

// Transpose, and the Reorder between memory layouts that the layout pass puts in.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return IsPlainTensor(graph, node, 0) && ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareTranspose(const Graph& graph, const Node& node,
                                                              const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  const Shape::Dims strides = BoundStrides(input);
  const int rank = static_cast<int>(strides.size());
  const std::vector<int64_t>& perm = node.attributes.Ints("perm");
  const bool reversed = !node.attributes.Has("perm");
  Shape::Dims source;
  for (int i = 0; i < rank; ++i) {
    const int64_t axis = reversed ? rank - 1 - i : perm[i] < 0 ? perm[i] + rank : perm[i];
    source.push_back(strides[axis]);
  }
  return MakeCopyKernel(graph, node,
                        CopyPlan(BoundShape(output), source, 0, BoundStrides(output), 0,
                                 ElementBytes(input.type.dtype)));
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareReorder(const Graph& graph, const Node& node,
                                                            const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  return MakeCopyKernel(graph, node,
                        CopyPlan(BoundShape(output), BoundStrides(input), 0, BoundStrides(output),
                                 0, ElementBytes(input.type.dtype)));
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Transpose", Supports, RowMajorOnly, PrepareTranspose},
    {"inferd", "Reorder", Supports, AnyLayout, PrepareReorder},
};

}  // namespace

absl::Span<const CpuKernelDef> TransposeKernels() { return kKernels; }

}  // namespace inferd::cpu
