#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/packed_rows.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"

// Gather along any axis; indices are checked before rows are taken.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinBytesPerThread = 262144;
constexpr int64_t kMinEpilogueBytesPerThread = 65536;
constexpr int64_t kPieceBytes = 16384;  // gathered before the epilogue runs over it

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

// What is done to rows of the output once they are gathered, while they are in cache: elementwise
// steps, then maybe a normalization of each row and further steps. Embeddings are summed and
// normalized so.
class RowEpilogue {
 public:
  static bool Supports(const Graph& graph, const Node& node) {
    const size_t norm = FindNormalization(node);
    if (!ElementwiseChain::SupportsEpilogue(graph, node, 0, norm)) return false;
    if (norm >= node.epilogue.size()) return true;
    const SymbolicShape& shape = InputValue(graph, node, 0).type.shape;
    const auto axis = NormalizeAxis(node.attributes.Int("axis", 0), shape.rank());
    const ValueId scale = node.inputs[node.epilogue[norm].operand];
    // A slice holds whole rows.
    return axis.ok() && *axis < shape.rank() - 1 && OutputDType(graph, node) == DType::kFloat32 &&
           graph.value(scale).type.dtype == DType::kFloat32 &&
           ElementwiseChain::SupportsEpilogue(graph, node, norm + 1);
  }

  static absl::StatusOr<RowEpilogue> Make(const Graph& graph, const Node& node) {
    RowEpilogue epilogue;
    const size_t norm = FindNormalization(node);
    ASSIGN_OR_RETURN(epilogue.before_, ElementwiseChain::Epilogue(graph, node, 0, norm));
    if (norm >= node.epilogue.size()) return epilogue;
    const EpilogueStep& step = node.epilogue[norm];
    const Shape shape = BoundShape(OutputValue(graph, node));
    epilogue.scale_input_ = step.operand;
    epilogue.columns_ = shape[shape.rank() - 1];
    epilogue.epsilon_ = step.attributes.Float("epsilon", 1e-5f);
    epilogue.by_square_ = step.op->name == "RMSNormalization";
    ASSIGN_OR_RETURN(epilogue.after_, ElementwiseChain::Epilogue(graph, node, norm + 1));
    return epilogue;
  }

  bool empty() const { return before_.empty() && scale_input_ < 0; }
  bool normalizes() const { return scale_input_ >= 0; }

  // Over elements [begin, end) of output 0: whole rows.
  void Apply(const StepContext& step, int64_t begin, int64_t end) const {
    before_.Apply(step, begin, end);
    if (!normalizes()) return;
    float* x = step.outputs[0]->mutable_data<float>() + begin;
    const float* scale = step.inputs[scale_input_]->data<float>();
    const int64_t rows = (end - begin) / columns_;
    if (by_square_) {
      RmsNormRowsF32(x, scale, epsilon_, x, rows, columns_);
    } else {
      LayerNormRowsF32(x, scale, nullptr, epsilon_, x, rows, columns_);
    }
    after_.Apply(step, begin, end);
  }

 private:
  // The number of steps where there is none.
  static size_t FindNormalization(const Node& node) {
    const auto& steps = node.epilogue;
    return std::find_if(steps.begin(), steps.end(),
                        [](const EpilogueStep& step) {
                          return step.op->name == "LayerNormalization" ||
                                 step.op->name == "RMSNormalization";
                        }) -
           steps.begin();
  }

  ElementwiseChain before_;
  ElementwiseChain after_;
  int scale_input_ = -1;  // -1 without a normalization
  int64_t columns_ = 0;
  float epsilon_ = 0;
  bool by_square_ = false;
};

class GatherKernel : public BoundKernel {
 public:
  GatherKernel(const GatherPlan& plan, bool wide, std::optional<PackedRows> packed,
               RowEpilogue epilogue)
      : plan_(plan), wide_(wide), packed_(std::move(packed)), epilogue_(std::move(epilogue)) {}

  absl::Status Run(const StepContext& step) const override {
    return wide_ ? Gather<int64_t>(step) : Gather<int32_t>(step);
  }
  int64_t scratch_bytes() const override { return 0; }
  std::string description() const override {
    return absl::StrCat("gather", packed_ ? " packed" : "", epilogue_.normalizes() ? "+norm" : "");
  }
  bool holds_input(int i) const override { return i == 0 && packed_.has_value(); }

 private:
  template <typename Index>
  absl::Status Gather(const StepContext& step) const {
    const Index* indices = step.inputs[1]->data<Index>();
    RETURN_IF_ERROR(CheckIndices(indices, plan_));
    const int64_t slices = plan_.inner_bytes == 0 ? 0 : plan_.outer * plan_.count;
    const int64_t min_bytes = epilogue_.empty() ? kMinBytesPerThread : kMinEpilogueBytesPerThread;
    const int64_t min_slices = min_bytes / std::max<int64_t>(1, plan_.inner_bytes) + 1;
    ParallelRanges(step.threads, slices, min_slices, 1, [&](int64_t begin, int64_t end) {
      const int64_t piece = epilogue_.empty() ? end - begin : kPieceBytes / plan_.inner_bytes + 1;
      for (; begin < end; begin += piece) {
        GatherPiece(step, indices, begin, std::min(begin + piece, end));
      }
    });
    return absl::OkStatus();
  }

  template <typename Index>
  void GatherPiece(const StepContext& step, const Index* indices, int64_t begin,
                   int64_t end) const {
    char* target = static_cast<char*>(step.outputs[0]->mutable_raw());
    for (int64_t i = begin; i < end; ++i) {
      const int64_t given = indices[i % plan_.count];
      const int64_t index = given < 0 ? given + plan_.axis_size : given;
      CopySlice(step, i / plan_.count * plan_.axis_size + index, target + i * plan_.inner_bytes);
    }
    if (epilogue_.empty()) return;
    const int64_t elements = plan_.inner_bytes / ElementBytes(step.outputs[0]->dtype());
    epilogue_.Apply(step, begin * elements, end * elements);
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
  const RowEpilogue epilogue_;
};

bool Supports(const Graph& graph, const Node& node) {
  const DType indices = InputDType(graph, node, 1);
  return IsPlainTensor(graph, node, 0) && HasKnownRank(graph, node, 0) &&
         (indices == DType::kInt64 || indices == DType::kInt32) &&
         RowEpilogue::Supports(graph, node);
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
  ASSIGN_OR_RETURN(RowEpilogue epilogue, RowEpilogue::Make(graph, node));
  return std::make_unique<GatherKernel>(plan, indices.type.dtype == DType::kInt64,
                                        std::move(packed), std::move(epilogue));
}

constexpr CpuKernelDef kKernels[] = {{"", "Gather", Supports, RowMajorOnly, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> GatherKernels() { return kKernels; }

}  // namespace inferd::cpu
