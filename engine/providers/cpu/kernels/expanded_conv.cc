#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/conv_activation.h"
#include "engine/ops/convolution.h"
#include "engine/ops/op_registry.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/depthwise_convolution.h"
#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_kernel.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/step_kernel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

// A pointwise convolution whose rows of pixels a depthwise one reads from a ring in the cache.
namespace inferd::cpu {
namespace {

enum Input { kX, kExpansion, kExpansionBias, kWeights, kBias };

constexpr int64_t kMinPerThread = 1 << 20;  // multiplications

constexpr int64_t kLineFloats = 16;

class ExpandedConvKernel : public BoundKernel {
 public:
  struct Parts {
    DepthwiseShape shape;
    PanelProduct product;
    bool has_expansion_bias = false;
    bool has_bias = false;
    bool pools = false;
    SumEpilogue expansion_epilogue;
    SumEpilogue epilogue;
    std::shared_ptr<const PackedWeights> expansion;
    std::shared_ptr<const PackedWeights> weights;
    std::string description;
  };

  ExpandedConvKernel(Parts parts, int threads)
      : p_(std::move(parts)), threads_(std::max(1, threads)), zeros_(p_.shape.channels, 0.0f) {}

  absl::Status Run(const StepContext& context) const override {
    const DepthwiseShape& shape = p_.shape;
    const int64_t row_products =
        RowFloats() * shape.kernel * shape.kernel + LineFloats() * p_.product.depth;
    ParallelParts(std::min(threads_, context.threads), shape.batch * shape.out_height,
                  kMinPerThread / row_products + 1, 1, [&](int part, int64_t begin, int64_t end) {
                    RunRows(context, begin, end, Scratch(context, part));
                  });
    if (p_.pools) {
      WriteDepthwiseMeans(shape, Sums(context), context.outputs[1]->mutable_data<float>(),
                          static_cast<float*>(context.scratch));
    }
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    const int64_t sums =
        p_.pools ? p_.shape.batch * p_.shape.out_height * p_.shape.channels : int64_t{0};
    return (threads_ * ScratchFloats() + sums) * static_cast<int64_t>(sizeof(float));
  }
  std::string description() const override { return p_.description; }
  bool holds_input(int i) const override { return i == kExpansion || i == kWeights; }

 private:
  // Of the outputs, and of what they are made of.
  int64_t RowFloats() const { return p_.shape.out_width * p_.shape.channels; }
  int64_t LineFloats() const { return p_.shape.width * p_.shape.channels; }
  // The ring, then what sums need.
  int64_t RingFloats() const { return RoundUp(p_.shape.kernel * LineFloats(), kLineFloats); }
  int64_t ScratchFloats() const { return RingFloats() + RoundUp(p_.shape.channels, kLineFloats); }
  float* Scratch(const StepContext& context, int part) const {
    return static_cast<float*>(context.scratch) + part * ScratchFloats();
  }
  float* Sums(const StepContext& context) const { return Scratch(context, threads_); }
  static const float* Floats(const StepContext& context, bool has, int input) {
    return has ? context.inputs[input]->data<float>() : nullptr;
  }

  void RunRows(const StepContext& context, int64_t begin, int64_t end, float* ring) const {
    const DepthwiseOperands operands = {
        .x = ring,
        .weights = static_cast<const float*>(p_.weights->data()),
        .zeros = zeros_.data(),
        .bias = Floats(context, p_.has_bias, kBias),
        .add = nullptr,
        .low = p_.epilogue.bounds.low,
        .high = p_.epilogue.bounds.high,
        .y = context.outputs[0]->mutable_data<float>(),
        .ring_rows = p_.shape.kernel,
    };
    int64_t expanded = 0;
    for (int64_t row = begin; row < end; ++row) {
      expanded = Expand(context, row, expanded, ring);
      DepthwiseRow(p_.shape, operands, row);
      p_.epilogue.rest.Apply(context, row * RowFloats(), (row + 1) * RowFloats());
      if (p_.pools) {
        SumDepthwiseRow(p_.shape, operands.y, row, Sums(context), ring + RingFloats());
      }
    }
  }

  // Makes the lines that the row of outputs reads, but for those before `expanded`, in the ring.
  // Returns the first line that is not made; lines count through the images.
  int64_t Expand(const StepContext& context, int64_t row, int64_t expanded, float* ring) const {
    const DepthwiseShape& shape = p_.shape;
    const int64_t image_line = row / shape.out_height * shape.height;
    const int64_t top = row % shape.out_height * shape.stride - shape.pad_top;
    const int64_t end = image_line + std::clamp<int64_t>(top + shape.kernel, 0, shape.height);
    int64_t line = std::max(expanded, image_line + std::max<int64_t>(0, top));
    for (; line < end; ++line) {
      ExpandLine(context, line, ring + (line - image_line) % shape.kernel * LineFloats());
    }
    return std::max(expanded, end);
  }

  void ExpandLine(const StepContext& context, int64_t line, float* to) const {
    const int64_t width = p_.shape.width;
    const PanelOperands operands{
        .x = context.inputs[kX]->data<float>() + line * width * p_.product.depth,
        .x_step = p_.product.depth,
        .packed = static_cast<const float*>(p_.expansion->data()),
        .bias = Floats(context, p_.has_expansion_bias, kExpansionBias),
        .add = nullptr,
        .low = p_.expansion_epilogue.bounds.low,
        .high = p_.expansion_epilogue.bounds.high,
        .y = to,
        .y_step = p_.product.columns};
    MultiplyPanels(p_.product, operands,
                   {.first_row = 0,
                    .rows = width,
                    .first_panel = 0,
                    .last_panel = p_.product.panels(),
                    .next_panel = 0});
    if (p_.expansion_epilogue.rest.empty()) return;
    Tensor floats = Tensor::View(DType::kFloat32, Shape({LineFloats()}), to);
    Tensor* const outputs[] = {&floats};
    StepContext of_line = context;
    of_line.outputs = outputs;
    p_.expansion_epilogue.rest.Apply(of_line, 0, LineFloats());
  }

  const Parts p_;
  const int threads_;
  const std::vector<float> zeros_;
};

// The convolution that the own kernel computes from what is expanded; nullopt for others.
std::optional<DepthwiseShape> ShapeOf(const Graph& graph, const Node& node) {
  for (const int i : {kExpansion, kWeights}) {
    const Tensor* weights = ConstantOperand(graph, node, i);
    if (weights == nullptr || weights->rank() != 4) return std::nullopt;
  }
  const SymbolicShape& x = InputShape(graph, node, kX);
  if (!x.IsConcrete() || x.rank() != 4) return std::nullopt;
  SymbolicShape expanded = x;
  expanded[1] = InputShape(graph, node, kExpansion)[0];
  const auto conv =
      ResolveConvolution(node.attributes, expanded, InputShape(graph, node, kWeights));
  if (!conv.ok()) return std::nullopt;
  const Window& window = conv->window;
  const int64_t kernel = window.kernel[0];
  const int64_t stride = window.strides[0];
  const bool fits = conv->groups == conv->in_channels.value &&
                    conv->groups == conv->out_channels.value && window.kernel[1] == kernel &&
                    window.strides[1] == stride && (stride == 1 || stride == 2) &&
                    (kernel == 3 || kernel == 5 || kernel == 7) && window.dilations[0] == 1 &&
                    window.dilations[1] == 1;
  if (!fits) return std::nullopt;
  return DepthwiseShape{.kernel = static_cast<int>(kernel),
                        .stride = static_cast<int>(stride),
                        .batch = conv->batch.value,
                        .channels = conv->groups,
                        .height = window.input[0],
                        .width = window.input[1],
                        .out_height = window.output[0],
                        .out_width = window.output[1],
                        .pad_top = window.pads_begin[0],
                        .pad_left = window.pads_begin[1]};
}

bool Supports(const Graph& graph, const Node& node) {
  if (!node.epilogue.empty() || !HasOutput(node, 0)) return false;
  for (const auto* ids : {&node.inputs, &node.outputs}) {
    for (const ValueId id : *ids) {
      if (id != kNoValue && graph.value(id).type.dtype != DType::kFloat32) return false;
    }
  }
  // The layout pass leaves constants row-major.
  return ConstantOperand(graph, node, kX) == nullptr && WithinSizeLimits(graph, node) &&
         OutputShape(graph, node).IsConcrete() && ShapeOf(graph, node).has_value();
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

absl::StatusOr<SumEpilogue> EpilogueOf(const Graph& graph, const Node& node,
                                       absl::string_view prefix, std::string* text) {
  ASSIGN_OR_RETURN(const auto activation, ConvActivation::Read(node.attributes, prefix));
  Node conv;
  conv.op = &OpRegistry::Builtin().Get("", "Conv");
  conv.outputs = {node.outputs[0]};
  if (!activation.name.empty()) {
    EpilogueStep step;
    step.op = &OpRegistry::Builtin().Get("", activation.name);
    if (activation.name == "Swish") step.attributes.Set("alpha", activation.alpha);
    conv.epilogue.push_back(std::move(step));
  }
  absl::StrAppend(text, EpilogueText(conv));
  return SumEpilogue::Plan(graph, conv);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  for (const ValueId id : {node.inputs[kX], node.outputs[0]}) {
    const Value& value = graph.value(id);
    if (!SameOrder(BoundShape(value), value.layout, Layout::kChannelsLast)) {
      return absl::UnimplementedError("ExpandedConv: a value is row-major");
    }
  }
  ExpandedConvKernel::Parts parts{.shape = *ShapeOf(graph, node)};
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const Tensor& expansion = *ConstantOperand(graph, node, kExpansion);
  MatrixProduct product;
  product.weights = {expansion.dim(1), expansion.dim(0)};
  product.weights_transposed = true;
  parts.product = PanelsOf(product);
  ASSIGN_OR_RETURN(parts.expansion, PackPanels(expansion, product, store));
  ASSIGN_OR_RETURN(parts.weights,
                   PackDepthwise(*ConstantOperand(graph, node, kWeights), parts.shape, store));
  parts.has_expansion_bias = HasInput(node, kExpansionBias);
  parts.has_bias = HasInput(node, kBias);
  parts.pools = HasOutput(node, 1);
  parts.description = "simd:1x1 panels";
  ASSIGN_OR_RETURN(parts.expansion_epilogue,
                   EpilogueOf(graph, node, "expand_", &parts.description));
  parts.description += "+depthwise";
  ASSIGN_OR_RETURN(parts.epilogue, EpilogueOf(graph, node, "", &parts.description));
  if (parts.pools) parts.description += "+means";
  return std::make_unique<ExpandedConvKernel>(std::move(parts), context.threads);
}

constexpr CpuKernelDef kKernels[] = {{"inferd", "ExpandedConv", Supports, Layouts, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> ExpandedConvKernels() { return kKernels; }

}  // namespace inferd::cpu
