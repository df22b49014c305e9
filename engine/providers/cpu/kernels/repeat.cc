#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"

// Expand and Tile; how often each axis repeats follows from the bound shapes.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return IsPlainTensor(graph, node, 0) && ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareExpand(const Graph& graph, const Node& node,
                                                           const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  const Shape from = BoundShape(input);
  const Shape to = BoundShape(output);
  const Shape::Dims strides = BoundStrides(input);
  Shape::Dims source(to.rank(), 0);
  const int lead = to.rank() - from.rank();
  for (int i = 0; i < from.rank(); ++i) {
    if (from[i] != 1) source[lead + i] = strides[i];
  }
  return MakeCopyKernel(
      graph, node,
      CopyPlan(to, source, 0, BoundStrides(output), 0, ElementBytes(input.type.dtype)));
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareTile(const Graph& graph, const Node& node,
                                                         const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  const Shape from = BoundShape(input);
  const Shape to = BoundShape(output);
  const Shape::Dims strides = BoundStrides(input);
  const Shape::Dims target = BoundStrides(output);
  // Each axis becomes two: the repeats, which do not move the source, and the elements.
  Shape doubled;
  Shape::Dims source;
  Shape::Dims doubled_target;
  for (int i = 0; i < from.rank(); ++i) {
    doubled.push_back(from[i] == 0 ? 0 : to[i] / from[i]);
    source.push_back(0);
    doubled_target.push_back(target[i] * from[i]);
    doubled.push_back(from[i]);
    source.push_back(strides[i]);
    doubled_target.push_back(target[i]);
  }
  return MakeCopyKernel(
      graph, node, CopyPlan(doubled, source, 0, doubled_target, 0, ElementBytes(input.type.dtype)));
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Expand", Supports, RowMajorOnly, PrepareExpand},
    {"", "Tile", Supports, RowMajorOnly, PrepareTile},
};

}  // namespace

absl::Span<const CpuKernelDef> RepeatKernels() { return kKernels; }

}  // namespace inferd::cpu
