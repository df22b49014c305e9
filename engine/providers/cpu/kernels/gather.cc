#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/ops/infer_context.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/packed_rows.h"
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

class GatherKernel : public BoundKernel {
 public:
  GatherKernel(const GatherPlan& plan, bool wide, std::optional<PackedRows> packed,
               ElementwiseChain epilogue)
      : plan_(plan), wide_(wide), packed_(std::move(packed)), epilogue_(std::move(epilogue)) {}

  absl::Status Run(const StepContext& step) const override {
    RETURN_IF_ERROR(wide_ ? Gather<int64_t>(step) : Gather<int32_t>(step));
    epilogue_.ApplyAll(step);
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override { return 0; }
  std::string description() const override { return packed_ ? "gather packed" : "gather"; }
  bool holds_input(int i) const override { return i == 0 && packed_.has_value(); }

 private:
  template <typename Index>
  absl::Status Gather(const StepContext& step) const {
    const Index* indices = step.inputs[1]->data<Index>();
    RETURN_IF_ERROR(CheckIndices(indices, plan_));
    char* target = static_cast<char*>(step.outputs[0]->mutable_raw());
    const int64_t slices = plan_.inner_bytes == 0 ? 0 : plan_.outer * plan_.count;
    const int64_t min_slices = kMinBytesPerThread / std::max<int64_t>(1, plan_.inner_bytes) + 1;
    ParallelRanges(step.threads, slices, min_slices, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t given = indices[i % plan_.count];
        const int64_t index = given < 0 ? given + plan_.axis_size : given;
        CopySlice(step, i / plan_.count * plan_.axis_size + index, target + i * plan_.inner_bytes);
      }
    });
    return absl::OkStatus();
  }

  void CopySlice(const StepContext& step, int64_t slice, char* to) const {
    if (packed_) {
      packed_->Copy(slice, reinterpret_cast<float*>(to));
    } else {
      const char* source = static_cast<const char*>(step.inputs[0]->raw());
      std::memcpy(to, source + slice * plan_.inner_bytes, plan_.inner_bytes);
    }
  }

  const GatherPlan plan_;
  const bool wide_;  // int64 indices
  const std::optional<PackedRows> packed_;
  const ElementwiseChain epilogue_;
};

bool Supports(const Graph& graph, const Node& node) {
  const DType indices = InputDType(graph, node, 1);
  return IsPlainTensor(graph, node, 0) && HasKnownRank(graph, node, 0) &&
         (indices == DType::kInt64 || indices == DType::kInt32) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Value& data = InputValue(graph, node, 0);
  const Value& indices = InputValue(graph, node, 1);
  const Shape shape = BoundShape(data);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), shape.rank()));
  const GatherPlan plan{shape.Product(0, axis), shape[axis],
                        shape.Product(axis + 1, shape.rank()) * ElementBytes(data.type.dtype),
                        BoundShape(indices).num_elements()};
  std::optional<PackedRows> packed;
  if (axis == 0) packed = PackedRows::Find(graph, node, context);
  ASSIGN_OR_RETURN(ElementwiseChain epilogue, ElementwiseChain::Epilogue(graph, node));
  return std::make_unique<GatherKernel>(plan, indices.type.dtype == DType::kInt64,
                                        std::move(packed), std::move(epilogue));
}

constexpr CpuKernelDef kKernels[] = {{"", "Gather", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> GatherKernels() { return kKernels; }

}  // namespace inferd::cpu
