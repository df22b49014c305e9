#include "engine/providers/cpu/depthwise_convolution.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/simd/bfloat16_finish.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 1 << 17;  // multiplications
constexpr int64_t kLineFloats = 16;

class DepthwiseKernel : public BoundKernel {
 public:
  DepthwiseKernel(const DepthwiseShape& shape, int threads, bool narrow_input, bool narrow_output,
                  bool has_bias, bool pools, RoundedActivation activation, SumEpilogue epilogue,
                  std::shared_ptr<const PackedWeights> weights, std::string description)
      : shape_(shape),
        threads_(std::max(1, threads)),
        narrow_input_(narrow_input),
        narrow_output_(narrow_output),
        has_bias_(has_bias),
        pools_(pools),
        activation_(activation),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        zeros_(shape.channels, 0.0f),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const auto floats = [&](int i) { return context.inputs[i]->data<float>(); };
    const DepthwiseOperands operands = {
        .x = narrow_input_ ? nullptr : floats(0),
        .weights = static_cast<const float*>(weights_->data()),
        .zeros = zeros_.data(),
        .bias = has_bias_ ? floats(2) : nullptr,
        .add = epilogue_.add >= 0 ? floats(epilogue_.add) : nullptr,
        .low = epilogue_.bounds.low,
        .high = epilogue_.bounds.high,
        .y = narrow_output_ ? nullptr : context.outputs[0]->mutable_data<float>(),
        .ring_rows = narrow_input_ ? shape_.kernel : 0,
    };
    const int64_t row_products = row_floats() * shape_.kernel * shape_.kernel;
    ParallelParts(std::min(threads_, context.threads), shape_.batch * shape_.out_height,
                  kMinPerThread / row_products + 1, 1, [&](int part, int64_t begin, int64_t end) {
                    float* scratch = static_cast<float*>(context.scratch) + part * ScratchFloats();
                    float* ring = scratch + OutputFloats();
                    DepthwiseOperands of_part = operands;
                    if (narrow_input_) of_part.x = ring;
                    int64_t widened = 0;
                    for (; begin < end; ++begin) {
                      if (narrow_input_) widened = Widen(context, begin, widened, ring);
                      RunRow(context, of_part, begin, scratch);
                      if (pools_) {
                        SumDepthwiseRow(shape_, operands.y, begin, Sums(context), scratch);
                      }
                    }
                  });
    if (pools_) {
      WriteDepthwiseMeans(shape_, Sums(context), context.outputs[1]->mutable_data<float>(),
                          static_cast<float*>(context.scratch));
    }
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    const int64_t floats = threads_ * ScratchFloats() + (pools_ ? SumFloats() : 0);
    return floats * static_cast<int64_t>(sizeof(float));
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }

 private:
  int64_t row_floats() const { return shape_.out_width * shape_.channels; }
  int64_t line_floats() const { return shape_.width * shape_.channels; }
  // What of the output's and the input's rows is kept as floats.
  int64_t OutputFloats() const { return narrow_output_ ? RoundUp(row_floats(), kLineFloats) : 0; }
  int64_t ScratchFloats() const {
    return OutputFloats() +
           (narrow_input_ ? RoundUp(shape_.kernel * line_floats(), kLineFloats) : 0) +
           (pools_ ? RoundUp(shape_.channels, kLineFloats) : 0);
  }

  // The sums of each row of outputs, which come after the threads' scratch.
  int64_t SumFloats() const {
    return RoundUp(shape_.batch * shape_.out_height * shape_.channels, kLineFloats);
  }
  float* Sums(const StepContext& context) const {
    return static_cast<float*>(context.scratch) + threads_ * ScratchFloats();
  }

  // Widens the lines of input that the row of outputs reads, but for those before `widened`, into
  // the ring. Returns the first line that is not widened; lines count through the images.
  int64_t Widen(const StepContext& context, int64_t row, int64_t widened, float* ring) const {
    const int64_t image_line = row / shape_.out_height * shape_.height;
    const int64_t top = row % shape_.out_height * shape_.stride - shape_.pad_top;
    const int64_t end = image_line + std::clamp<int64_t>(top + shape_.kernel, 0, shape_.height);
    const auto* x = context.inputs[0]->data<Bfloat16>();
    int64_t line = std::max(widened, image_line + std::max<int64_t>(0, top));
    for (; line < end; ++line) {
      WidenBfloat16(x + line * line_floats(),
                    ring + (line - image_line) % shape_.kernel * line_floats(), line_floats());
    }
    return std::max(widened, end);
  }

  void RunRow(const StepContext& context, DepthwiseOperands operands, int64_t row,
              float* scratch) const {
    const int64_t at = row * row_floats();
    // Rows count from the start of y.
    if (narrow_output_) operands.y = scratch - at;
    DepthwiseRow(shape_, operands, row);
    if (narrow_output_) {
      auto* y = context.outputs[0]->mutable_data<Bfloat16>() + at;
      if (activation_.kind == RoundedActivation::Kind::kNone) {
        RoundToBfloat16(scratch, y, row_floats());
      } else {
        ActivateToBfloat16(activation_, scratch, row_floats(), y);
      }
    }
    epilogue_.rest.Apply(context, at, at + row_floats());
  }

  const DepthwiseShape shape_;
  const int threads_;
  const bool narrow_input_;
  const bool narrow_output_;
  const bool has_bias_;
  const bool pools_;
  const RoundedActivation activation_;  // before the epilogue
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::vector<float> zeros_;
  const std::string description_;
};

// What the node's sums are put through as they are rounded, where that is all of the epilogue.
std::optional<RoundedActivation> ActivationOf(const Graph& graph, const Node& node) {
  const bool narrow = graph.value(node.outputs[0]).type.dtype == DType::kBfloat16;
  if (!narrow || !ComputesBfloat16() || node.epilogue.size() != 1) return std::nullopt;
  return RoundedActivation::Of(node.epilogue[0]);
}

}  // namespace

std::optional<DepthwiseShape> DepthwiseShapeOf(const Graph& graph, const Node& node,
                                               const Convolution& conv) {
  const DnnlWindow& window = conv.window;
  if (conv.transposed || conv.source.size() != 4 || conv.groups != conv.source[1] ||
      conv.groups != conv.destination[1]) {
    return std::nullopt;
  }
  const int64_t kernel = window.kernel[0];
  const int64_t stride = window.strides[0];
  const bool fits = window.kernel[1] == kernel && window.strides[1] == stride &&
                    window.gaps[0] == 0 && window.gaps[1] == 0 && (stride == 1 || stride == 2) &&
                    (kernel == 3 || kernel == 5 || kernel == 7);
  // Small windows of bfloat16 are oneDNN's: converting them takes as long as multiplying. Its
  // activations take longer.
  const bool narrow = kernel >= 5 || ActivationOf(graph, node);
  if (!fits || !TakesOwnConvolution(graph, node, narrow)) return std::nullopt;
  return DepthwiseShape{.kernel = static_cast<int>(kernel),
                        .stride = static_cast<int>(stride),
                        .batch = conv.source[0],
                        .channels = conv.source[1],
                        .height = conv.source[2],
                        .width = conv.source[3],
                        .out_height = conv.destination[2],
                        .out_width = conv.destination[3],
                        .pad_top = window.pads_begin[0],
                        .pad_left = window.pads_begin[1]};
}

double DepthwiseCost(const DepthwiseShape& shape, const Node& node) {
  const double direct = static_cast<double>(shape.batch * shape.channels * shape.out_height *
                                            shape.out_width * shape.kernel * shape.kernel);
  const bool bounds_only =
      std::all_of(node.epilogue.begin(), node.epilogue.end(), [](const EpilogueStep& step) {
        return step.op->name == "Relu" || step.op->name == "Clip" || step.op->name == "HardSwish";
      });
  const bool slower = bounds_only && shape.kernel < 5 && shape.channels < 160;
  return slower ? 1.1 * direct : 0.9 * direct;
}

absl::StatusOr<std::shared_ptr<const PackedWeights>> PackDepthwise(const Tensor& weights,
                                                                   const DepthwiseShape& shape,
                                                                   WeightStore& store) {
  const int64_t taps = int64_t{shape.kernel} * shape.kernel;
  const auto pack = [&](void* to) {
    for (int64_t c = 0; c < shape.channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        static_cast<float*>(to)[tap * shape.channels + c] = weights.data<float>()[c * taps + tap];
      }
    }
    return absl::OkStatus();
  };
  return store.GetOrPack(weights, "depthwise taps first", weights.byte_size(), pack);
}

void SumDepthwiseRow(const DepthwiseShape& shape, const float* y, int64_t row, float* sums,
                     float* scratch) {
  ReduceColumnsF32(ReduceF32::kSum, y + row * shape.out_width * shape.channels,
                   sums + row * shape.channels, shape.out_width, shape.channels, 1.0f, scratch);
}

void WriteDepthwiseMeans(const DepthwiseShape& shape, const float* sums, float* means,
                         float* scratch) {
  const float factor = 1.0f / static_cast<float>(shape.out_height * shape.out_width);
  for (int64_t image = 0; image < shape.batch; ++image) {
    ReduceColumnsF32(ReduceF32::kSum, sums + image * shape.out_height * shape.channels,
                     means + image * shape.channels, shape.out_height, shape.channels, factor,
                     scratch);
  }
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareDepthwise(const Graph& graph, const Node& node,
                                                              const PrepareContext& context,
                                                              const DepthwiseShape& shape,
                                                              bool pools) {
  if (!ElementwiseChain::SupportsEpilogue(graph, node)) {
    return absl::UnimplementedError("depthwise: the epilogue has no own kernel");
  }
  const std::optional<RoundedActivation> activation = ActivationOf(graph, node);
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node, activation ? 1 : 0));
  const Tensor& weights = *graph.constant(node.inputs[1]);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  ASSIGN_OR_RETURN(auto packed, PackDepthwise(weights, shape, store));
  const auto is_narrow = [&](ValueId id) { return graph.value(id).type.dtype == DType::kBfloat16; };
  return std::make_unique<DepthwiseKernel>(
      shape, context.threads, is_narrow(node.inputs[0]), is_narrow(node.outputs[0]),
      HasInput(node, 2), pools, activation.value_or(RoundedActivation()), std::move(epilogue),
      std::move(packed), absl::StrCat("simd:depthwise", EpilogueText(node), pools ? "+means" : ""));
}

}  // namespace inferd::cpu
