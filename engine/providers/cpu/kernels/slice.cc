#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "engine/ops/infer_context.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/parts_kernel.h"

// Slice with constant starts, axes and steps; the counts are those of the bound output shape.
namespace inferd::cpu {
namespace {

bool IsConstantOrAbsent(const Graph& graph, const Node& node, int i) {
  return !HasOperand(node, i) || ConstantOperand(graph, node, i) != nullptr;
}

bool Supports(const Graph& graph, const Node& node) {
  return IsPlainTensor(graph, node, 0) && HasOperand(node, 1) &&
         IsConstantOrAbsent(graph, node, 1) && IsConstantOrAbsent(graph, node, 3) &&
         IsConstantOrAbsent(graph, node, 4) && ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::vector<int64_t>> Integers(const Graph& graph, const Node& node, int i,
                                              std::vector<int64_t> missing) {
  const Tensor* constant = ConstantOperand(graph, node, i);
  if (constant == nullptr) return missing;
  return constant->ToInt64s();
}

// The first element kept along an axis of `dim` elements.
int64_t FirstKept(int64_t dim, int64_t start, int64_t step) {
  if (start < 0) start += dim;
  return step > 0 ? std::clamp<int64_t>(start, 0, dim) : std::clamp<int64_t>(start, -1, dim - 1);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Value& output = OutputValue(graph, node);
  const Shape from = BoundShape(input);
  const Shape to = BoundShape(output);
  Shape::Dims source = BoundStrides(input);
  ASSIGN_OR_RETURN(const std::vector<int64_t> starts, Integers(graph, node, 1, {}));
  std::vector<int64_t> all_axes(starts.size());
  for (size_t i = 0; i < all_axes.size(); ++i) all_axes[i] = static_cast<int64_t>(i);
  ASSIGN_OR_RETURN(const std::vector<int64_t> given, Integers(graph, node, 3, all_axes));
  ASSIGN_OR_RETURN(const std::vector<int> axes, NormalizeAxes(given, from.rank()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> steps,
                   Integers(graph, node, 4, std::vector<int64_t>(starts.size(), 1)));
  if (axes.size() != starts.size() || steps.size() != starts.size()) {
    return absl::InvalidArgumentError("Slice has starts, axes and steps of different lengths");
  }
  int64_t offset = 0;
  for (size_t i = 0; i < axes.size() && to.num_elements() > 0; ++i) {
    const int axis = axes[i];
    offset += FirstKept(from[axis], starts[i], steps[i]) * source[axis];
    // A step past the end is never taken, and might overflow.
    source[axis] *= to[axis] > 1 ? steps[i] : 1;
  }
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  auto kernel = std::make_unique<PartsKernel>(/*joins=*/false, std::move(epilogue));
  kernel->Add(output, input, source, offset);
  return kernel;
}

constexpr CpuKernelDef kKernels[] = {{"", "Slice", Supports, AnyLayout, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> SliceKernels() { return kKernels; }

}  // namespace inferd::cpu
