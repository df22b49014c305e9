#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/parallel.h"

// Gather along any axis; indices are checked as they are read.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinBytesPerThread = 262144;

// A [outer, axis_size, inner] tensor of which `count` slices along the axis are taken.
struct GatherPlan {
  int64_t outer;
  int64_t axis_size;
  int64_t inner_bytes;
  int64_t count;
};

template <typename Index>
absl::Status CheckIndices(const Index* indices, const GatherPlan& plan) {
  for (int64_t i = 0; i < plan.count; ++i) {
    const int64_t index = indices[i];
    if (index < -plan.axis_size || index >= plan.axis_size) {
      return absl::InvalidArgumentError(absl::StrCat("index ", index, " at position ", i,
                                                     " is outside [", -plan.axis_size, ",",
                                                     plan.axis_size - 1, "]"));
    }
  }
  return absl::OkStatus();
}

template <typename Index>
absl::Status Gather(const GatherPlan& plan, const StepContext& step) {
  const Index* indices = step.inputs[1]->data<Index>();
  RETURN_IF_ERROR(CheckIndices(indices, plan));
  const char* source = static_cast<const char*>(step.inputs[0]->raw());
  char* target = static_cast<char*>(step.outputs[0]->mutable_raw());
  const int64_t slices = plan.inner_bytes == 0 ? 0 : plan.outer * plan.count;
  const int64_t min_slices = kMinBytesPerThread / std::max<int64_t>(1, plan.inner_bytes) + 1;
  ParallelRanges(step.threads, slices, min_slices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t given = indices[i % plan.count];
      const int64_t index = given < 0 ? given + plan.axis_size : given;
      std::memcpy(target + i * plan.inner_bytes,
                  source + (i / plan.count * plan.axis_size + index) * plan.inner_bytes,
                  plan.inner_bytes);
    }
  });
  return absl::OkStatus();
}

bool Supports(const Graph& graph, const Node& node) {
  const DType indices = InputDType(graph, node, 1);
  return IsPlainTensor(graph, node, 0) && HasKnownRank(graph, node, 0) &&
         (indices == DType::kInt64 || indices == DType::kInt32) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  const Value& data = InputValue(graph, node, 0);
  const Value& indices = InputValue(graph, node, 1);
  const Shape shape = BoundShape(data);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), shape.rank()));
  const GatherPlan plan{shape.Product(0, axis), shape[axis],
                        shape.Product(axis + 1, shape.rank()) * ElementBytes(data.type.dtype),
                        BoundShape(indices).num_elements()};
  const bool wide = indices.type.dtype == DType::kInt64;
  return MakeStepKernel(graph, node, "gather", [=](const StepContext& step) {
    return wide ? Gather<int64_t>(plan, step) : Gather<int32_t>(plan, step);
  });
}

constexpr CpuKernelDef kKernels[] = {{"", "Gather", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> GatherKernels() { return kKernels; }

}  // namespace inferd::cpu
