#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_kernel.h"
#include "engine/providers/cpu/panel_loop.h"
#include "engine/providers/cpu/simd/join_rows_f32.h"
#include "engine/providers/cpu/simd/step_kernel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

// A pointwise convolution whose input is joined, scaled and shifted block of rows by block of rows,
// in a core's second cache, where the product by panels then reads it.
namespace inferd::cpu {
namespace {

enum Input { kWeights, kBias, kScale, kShift, kFirst };

bool Supports(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.num_op_inputs() <= kFirst) return false;
  for (const ValueId id : node.inputs) {
    if (id != kNoValue && graph.value(id).type.dtype != DType::kFloat32) return false;
  }
  // The layout pass leaves constants row-major.
  for (int i = kFirst; i < node.num_op_inputs(); ++i) {
    if (ConstantOperand(graph, node, i) != nullptr) return false;
  }
  const ValueType& output = graph.value(node.outputs[0]).type;
  return output.dtype == DType::kFloat32 && output.shape.IsConcrete() && output.shape.rank() == 4 &&
         output.shape.ToShape().num_elements() > 0 &&
         ConstantOperand(graph, node, kWeights) != nullptr && WithinSizeLimits(graph, node) &&
         ElementwiseChain::SupportsEpilogue(graph, node);
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

class JoinedConvKernel : public BoundKernel {
 public:
  // `columns` are the channels of the parts.
  JoinedConvKernel(const PanelProduct& product, std::vector<int64_t> columns, int64_t rows,
                   int threads, bool has_bias, float low, SumEpilogue epilogue,
                   std::shared_ptr<const PackedWeights> weights, std::string description)
      : product_(product),
        columns_(std::move(columns)),
        rows_(rows),
        threads_(std::max(1, threads)),
        has_bias_(has_bias),
        low_(low),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    absl::InlinedVector<JoinedPart, 64> parts;
    for (size_t i = 0; i < columns_.size(); ++i) {
      parts.push_back({context.inputs[kFirst + i]->data<float>(), columns_[i]});
    }
    SharePanels(product_, rows_, std::min(threads_, context.threads),
                [&](int number, const PanelPart& share) {
                  float* joined = static_cast<float*>(context.scratch) + number * ScratchFloats();
                  ForEachBlockOfRows(product_, share, [&](const PanelPart& part) {
                    Join(context, parts, part, joined);
                    Multiply(context, part, joined);
                  });
                });
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    return threads_ * ScratchFloats() * static_cast<int64_t>(sizeof(float));
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == kWeights; }

 private:
  // Whole cache lines.
  int64_t ScratchFloats() const {
    return DivideUp(MaxBlockRows(product_) * product_.depth, 16) * 16;
  }

  // Where a matrix starts whose row `first_row` is at `rows`: callers count from the start.
  float* StartOf(float* rows, int64_t first_row) const {
    return reinterpret_cast<float*>(reinterpret_cast<uintptr_t>(rows) -
                                    static_cast<uintptr_t>(first_row * product_.depth) *
                                        sizeof(float));
  }

  void Join(const StepContext& context, absl::Span<const JoinedPart> parts, const PanelPart& block,
            float* joined) const {
    JoinRowsF32(parts, context.inputs[kScale]->data<float>(), context.inputs[kShift]->data<float>(),
                low_, block.first_row, block.last_row, StartOf(joined, block.first_row));
  }

  void Multiply(const StepContext& context, const PanelPart& part, float* joined) const {
    const PanelOperands operands =
        PanelOperandsOf(context, product_, StartOf(joined, part.first_row), *weights_,
                        has_bias_ ? static_cast<int>(kBias) : -1, epilogue_);
    ForEachGroup(part, [&](const PanelBlock& block) {
      MultiplyPanels(product_, operands, block);
      FinishPanels(context, epilogue_.rest, product_, block);
    });
  }

  const PanelProduct product_;
  const std::vector<int64_t> columns_;
  const int64_t rows_;
  const int threads_;
  const bool has_bias_;
  const float low_;
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::string description_;
};

bool ChannelsLast(const Value& value) {
  return SameOrder(BoundShape(value), value.layout, Layout::kChannelsLast);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  std::vector<int64_t> columns;
  bool channels_last = ChannelsLast(OutputValue(graph, node));
  for (int i = kFirst; i < node.num_op_inputs(); ++i) {
    columns.push_back(BoundShape(InputValue(graph, node, i))[1]);
    channels_last = channels_last && ChannelsLast(InputValue(graph, node, i));
  }
  if (!channels_last) return absl::UnimplementedError("JoinedConv: a value is row-major");
  const Tensor& weights = *ConstantOperand(graph, node, kWeights);
  const Shape shape = BoundShape(OutputValue(graph, node));
  const int64_t rows = shape.num_elements() / shape[1];
  MatrixProduct product;
  product.weights = {weights.dim(1), weights.dim(0)};
  product.weights_transposed = true;
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  ASSIGN_OR_RETURN(auto packed, PackPanels(weights, product, store));
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node));
  const float low = node.attributes.Float("low", -std::numeric_limits<float>::infinity());
  return std::make_unique<JoinedConvKernel>(PanelsOf(product), std::move(columns), rows,
                                            context.threads, HasInput(node, kBias), low,
                                            std::move(epilogue), std::move(packed),
                                            absl::StrCat("simd:joined panels", EpilogueText(node)));
}

constexpr CpuKernelDef kKernels[] = {{"inferd", "JoinedConv", Supports, Layouts, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> JoinedConvKernels() { return kKernels; }

}  // namespace inferd::cpu
