#include <limits>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"
#include "engine/providers/cpu/simd/join_rows_f32.h"
#include "engine/providers/cpu/simd/parallel.h"

// Concat of channels followed by a factor and an addend for each, and maybe Relu, in one pass over
// channels-last values: what a batch normalization of joined feature maps is.
namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 32768;  // elements

// The constant, one value a channel, that step i of the epilogue applies; null for other steps.
const Tensor* ChannelConstant(const Graph& graph, const Node& node, size_t i,
                              absl::string_view op) {
  const EpilogueStep& step = node.epilogue[i];
  if (step.op->name != op || step.operand < 0) return nullptr;
  const Tensor* constant = graph.constant(node.inputs[step.operand]);
  const SymbolicShape& shape = graph.value(node.outputs[0]).type.shape;
  if (constant == nullptr || constant->dtype() != DType::kFloat32 || !shape[1].known()) {
    return nullptr;
  }
  const int axis = constant->rank() - shape.rank() + 1;
  const bool per_channel = axis >= 0 && constant->rank() <= shape.rank() &&
                           constant->dim(axis) == shape[1].value &&
                           constant->num_elements() == shape[1].value;
  return per_channel ? constant : nullptr;
}

bool Supports(const Graph& graph, const Node& node) {
  const size_t steps = node.epilogue.size();
  if (node.outputs.size() != 1 || steps < 2 || steps > 3) return false;
  const ValueType& type = graph.value(node.outputs[0]).type;
  if (type.dtype != DType::kFloat32 || type.shape.rank() < 3) return false;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (InputDType(graph, node, i) != DType::kFloat32) return false;
  }
  const auto axis = NormalizeAxis(node.attributes.Int("axis", 0), type.shape.rank());
  return axis.ok() && *axis == 1 && ChannelConstant(graph, node, 0, "Mul") != nullptr &&
         ChannelConstant(graph, node, 1, "Add") != nullptr &&
         (steps == 2 || node.epilogue[2].op->name == "Relu");
}

class NormalizedConcatKernel : public BoundKernel {
 public:
  NormalizedConcatKernel(std::vector<int64_t> columns, int64_t rows, const Tensor& scale,
                         const Tensor& shift, float low)
      : columns_(std::move(columns)),
        rows_(rows),
        low_(low),
        scale_(scale.values<float>().begin(), scale.values<float>().end()),
        shift_(shift.values<float>().begin(), shift.values<float>().end()) {}

  absl::Status Run(const StepContext& context) const override {
    absl::InlinedVector<JoinedPart, 64> parts;
    for (size_t i = 0; i < columns_.size(); ++i) {
      parts.push_back({context.inputs[i]->data<float>(), columns_[i]});
    }
    float* y = context.outputs[0]->mutable_data<float>();
    const int64_t min_rows = kMinPerThread / (static_cast<int64_t>(scale_.size()) + 1) + 1;
    ParallelRanges(context.threads, rows_, min_rows, 1, [&](int64_t begin, int64_t end) {
      JoinRowsF32(parts, scale_.data(), shift_.data(), low_, begin, end, y);
    });
    return absl::OkStatus();
  }
  std::string description() const override { return "simd:concat+scale-shift"; }

 private:
  const std::vector<int64_t> columns_;
  const int64_t rows_;
  const float low_;
  const std::vector<float> scale_;
  const std::vector<float> shift_;
};

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  std::vector<int64_t> columns;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (InputValue(graph, node, i).layout != Layout::kChannelsLast) {
      return absl::UnimplementedError("normalized Concat: an input is row-major");
    }
    columns.push_back(BoundShape(InputValue(graph, node, i))[1]);
  }
  if (OutputValue(graph, node).layout != Layout::kChannelsLast) {
    return absl::UnimplementedError("normalized Concat: the output is row-major");
  }
  const Shape shape = BoundShape(OutputValue(graph, node));
  const float low = node.epilogue.size() == 3 ? 0 : -std::numeric_limits<float>::infinity();
  return std::make_unique<NormalizedConcatKernel>(
      std::move(columns), shape[0] * shape.Product(2, shape.rank()),
      *ChannelConstant(graph, node, 0, "Mul"), *ChannelConstant(graph, node, 1, "Add"), low);
}

constexpr CpuKernelDef kKernels[] = {{"", "Concat", Supports, AnyLayout, Prepare, /*rank=*/5}};

}  // namespace

absl::Span<const CpuKernelDef> NormalizedConcatKernels() { return kKernels; }

}  // namespace inferd::cpu
