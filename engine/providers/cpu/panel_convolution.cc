#include "engine/providers/cpu/panel_convolution.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_loop.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinChannels = 16;

struct Window {
  explicit Window(const Convolution& conv)
      : channels(conv.source[1]),
        height(conv.source[2]),
        width(conv.source[3]),
        out_height(conv.destination[2]),
        out_width(conv.destination[3]),
        kernel_width(conv.window.kernel[1]),
        taps(conv.window.kernel[0] * conv.window.kernel[1]),
        stride_y(conv.window.strides[0]),
        stride_x(conv.window.strides[1]),
        step_y(conv.window.gaps[0] + 1),
        step_x(conv.window.gaps[1] + 1),
        pad_top(conv.window.pads_begin[0]),
        pad_left(conv.window.pads_begin[1]) {}

  // Where the pixel lies that `tap` of the window reads for output `row`, counted through the
  // images; `zeros` for padding. Pixels of x are `step` floats apart.
  const float* PixelOf(const float* x, int64_t step, const float* zeros, int64_t row,
                       int64_t tap) const {
    const int64_t image = row / (out_height * out_width);
    const int64_t place = row % (out_height * out_width);
    const int64_t y = place / out_width * stride_y + tap / kernel_width * step_y - pad_top;
    const int64_t i = place % out_width * stride_x + tap % kernel_width * step_x - pad_left;
    if (y < 0 || y >= height || i < 0 || i >= width) return zeros;
    return x + ((image * height + y) * width + i) * step;
  }

  int64_t channels;
  int64_t height;
  int64_t width;
  int64_t out_height;
  int64_t out_width;
  int64_t kernel_width;
  int64_t taps;
  int64_t stride_y;
  int64_t stride_x;
  int64_t step_y;
  int64_t step_x;
  int64_t pad_top;
  int64_t pad_left;
};

class PanelConvolutionKernel : public BoundKernel {
 public:
  PanelConvolutionKernel(const PanelProduct& product, const Window& window, int64_t rows,
                         int threads, int bias, SumEpilogue epilogue,
                         std::shared_ptr<const PackedWeights> weights, std::string description)
      : product_(product),
        window_(window),
        rows_(rows),
        threads_(std::max(1, threads)),
        bias_(bias),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        zeros_(window.channels, 0.0f),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const float* x = context.inputs[0]->data<float>();
    const int64_t step = context.input_step > 0 ? context.input_step : window_.channels;
    const PanelOperands operands =
        PanelOperandsOf(context, product_, nullptr, *weights_, bias_, epilogue_);
    RunPanels(context, product_, operands, epilogue_.rest, rows_,
              std::min(threads_, context.threads), [&](int number, const PanelPart& part) {
                const float** pointers =
                    static_cast<const float**>(context.scratch) + number * PointersOfThread();
                PointAt(x, step, part, pointers);
                return pointers;
              });
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    return threads_ * PointersOfThread() * static_cast<int64_t>(sizeof(const float*));
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }
  int64_t input_row() const override { return window_.channels; }
  int64_t output_row() const override { return epilogue_.rest.empty() ? product_.columns : 0; }

 private:
  // Whole cache lines.
  int64_t PointersOfThread() const {
    return DivideUp(MaxBlockRows(product_) * window_.taps, 8) * 8;
  }

  void PointAt(const float* x, int64_t step, const PanelPart& rows, const float** pointers) const {
    for (int64_t tap = 0; tap < window_.taps; ++tap) {
      for (int64_t row = rows.first_row; row < rows.last_row; ++row) {
        *pointers++ = window_.PixelOf(x, step, zeros_.data(), row, tap);
      }
    }
  }

  const PanelProduct product_;
  const Window window_;
  const int64_t rows_;
  const int threads_;
  const int bias_;
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::vector<float> zeros_;
  const std::string description_;
};

// [outputs, channels, taps] to [outputs, taps, channels].
std::vector<float> TapsFirst(const float* weights, int64_t outputs, const Window& window) {
  std::vector<float> moved(outputs * window.taps * window.channels);
  float* to = moved.data();
  for (int64_t o = 0; o < outputs; ++o) {
    const float* filter = weights + o * window.channels * window.taps;
    for (int64_t tap = 0; tap < window.taps; ++tap) {
      for (int64_t c = 0; c < window.channels; ++c) *to++ = filter[c * window.taps + tap];
    }
  }
  return moved;
}

}  // namespace

bool TakesPanelConvolution(const Graph& graph, const Node& node, const Convolution& conv) {
  return !conv.transposed && conv.groups == 1 && conv.source.size() == 4 &&
         conv.source[1] >= kMinChannels && TakesOwnConvolution(graph, node);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PreparePanelConvolution(const Graph& graph,
                                                                     const Node& node,
                                                                     const PrepareContext& context,
                                                                     const Convolution& conv) {
  if (!ElementwiseChain::SupportsEpilogue(graph, node)) {
    return absl::UnimplementedError("panels: the epilogue has no own kernel");
  }
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node));
  const Window window(conv);
  const int64_t outputs = conv.destination[1];
  const PanelProduct product{
      .depth = window.taps * window.channels, .columns = outputs, .unit = window.channels};
  const Tensor& weights = *graph.constant(node.inputs[1]);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const auto pack = [&](void* to) -> absl::Status {
    ASSIGN_OR_RETURN(const auto from, store.buffers().Read(weights));
    const std::vector<float> moved =
        TapsFirst(static_cast<const float*>(from.get()), outputs, window);
    product.Pack(moved.data(), /*transposed=*/true, static_cast<float*>(to));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(
      auto packed,
      store.GetOrPack(weights, absl::StrCat("convolution panels ", PanelLanes()),
                      product.packed_floats() * static_cast<int64_t>(sizeof(float)), pack));
  const int64_t rows = conv.destination[0] * conv.destination[2] * conv.destination[3];
  return std::make_unique<PanelConvolutionKernel>(
      product, window, rows, context.threads, HasInput(node, 2) ? 2 : -1, std::move(epilogue),
      std::move(packed), absl::StrCat("simd:panels", EpilogueText(node)));
}

}  // namespace inferd::cpu
