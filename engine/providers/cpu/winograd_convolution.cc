#include "engine/providers/cpu/winograd_convolution.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

// A block's transformed tiles should stay in a core's second cache beside the weights that stream
// through it, and there should be enough of them for each weight to be used often.
constexpr int64_t kBlockFloats = 144 << 10;
constexpr int64_t kMinBlockTiles = 16;
constexpr double kMinCostPerThread = 2e6;  // multiplications
// Larger ones need more scratch and weights than their speed is worth.
constexpr int64_t kMaxChannels = 8192;
constexpr int64_t kMaxPackedFloats = 64 << 20;

// How the work is cut: blocks of tiles, each for groups of panels when there are fewer blocks than
// threads. Every item transforms its block's tiles.
struct WorkItems {
  WorkItems(const WinogradShape& shape, int threads) {
    const int64_t tile_floats = shape.points() * (shape.channel_blocks() * 16 + WinogradPanel());
    const int64_t most = std::max(kMinBlockTiles, kBlockFloats / tile_floats);
    blocks = DivideUp(shape.tiles(), most);
    const int64_t shared = DivideUp(blocks, threads) * threads;
    if (shape.tiles() >= shared * kMinBlockTiles) blocks = shared;
    if (blocks < threads) groups = std::min(shape.panels(), DivideUp(threads, blocks));
    block_tiles = DivideUp(shape.tiles(), blocks);
    blocks = DivideUp(shape.tiles(), block_tiles);
  }
  int64_t blocks = 1;
  int64_t groups = 1;
  int64_t block_tiles = 1;
};

class WinogradKernel : public BoundKernel {
 public:
  WinogradKernel(const WinogradShape& shape, int threads, bool has_bias, SumEpilogue epilogue,
                 std::shared_ptr<const PackedWeights> weights, std::string description)
      : shape_(shape),
        work_(shape, threads),
        threads_(static_cast<int>(
            std::clamp(WinogradCost(shape) / kMinCostPerThread, 1.0, double(threads)))),
        has_bias_(has_bias),
        epilogue_(std::move(epilogue)),
        weights_(std::move(weights)),
        zeros_(shape.zero_floats(), 0.0f),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const int threads = std::min(threads_, context.threads);
    ParallelParts(threads, work_.blocks * work_.groups, 1, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    float* scratch = static_cast<float*>(context.scratch) + part * ScratchFloats();
                    for (int64_t item = begin; item < end; ++item) RunItem(context, item, scratch);
                  });
    if (work_.groups > 1) epilogue_.rest.ApplyAll(context);
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override {
    return threads_ * ScratchFloats() * static_cast<int64_t>(sizeof(float));
  }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }
  int64_t input_row() const override { return shape_.channels; }
  int64_t output_row() const override { return epilogue_.rest.empty() ? shape_.outputs : 0; }

 private:
  // A multiple of a cache line.
  int64_t ScratchFloats() const { return RoundUp(shape_.scratch_floats(work_.block_tiles), 16); }

  void RunItem(const StepContext& context, int64_t item, float* scratch) const {
    const auto floats = [&](int i) { return context.inputs[i]->data<float>(); };
    const int64_t group = item % work_.groups;
    const int64_t first_tile = item / work_.groups * work_.block_tiles;
    const WinogradBlock block = {
        .x = floats(0),
        .x_step = context.input_step > 0 ? context.input_step : shape_.channels,
        .packed = static_cast<const float*>(weights_->data()),
        .zeros = zeros_.data(),
        .bias = has_bias_ ? floats(2) : nullptr,
        .add = epilogue_.add >= 0 ? floats(epilogue_.add) : nullptr,
        .low = epilogue_.bounds.low,
        .high = epilogue_.bounds.high,
        .first_tile = first_tile,
        .tiles = std::min(work_.block_tiles, shape_.tiles() - first_tile),
        .first_panel = shape_.panels() * group / work_.groups,
        .last_panel = shape_.panels() * (group + 1) / work_.groups,
        .scratch = scratch,
        .y = context.outputs[0]->mutable_data<float>(),
        .y_step = context.output_step > 0 ? context.output_step : shape_.outputs,
    };
    RunWinograd(shape_, block);
    if (work_.groups == 1 && !epilogue_.rest.empty()) {
      FinishRows(context, block.first_tile, block.first_tile + block.tiles);
    }
  }

  // The rest of the epilogue over the outputs of whole tiles [begin, end).
  void FinishRows(const StepContext& context, int64_t begin, int64_t end) const {
    const int64_t across = shape_.tiles_x();
    while (begin < end) {
      const int64_t row = begin / across;
      const int64_t last = std::min(end, (row + 1) * across);
      const int64_t image = row / shape_.tiles_y();
      const int64_t y = row % shape_.tiles_y() * shape_.out_tile;
      const int64_t x0 = (begin - row * across) * shape_.out_tile;
      const int64_t x1 = std::min(shape_.out_width, (last - row * across) * shape_.out_tile);
      for (int64_t i = y; i < std::min(shape_.out_height, y + shape_.out_tile); ++i) {
        const int64_t pixels = (image * shape_.out_height + i) * shape_.out_width;
        epilogue_.rest.Apply(context, (pixels + x0) * shape_.outputs,
                             (pixels + x1) * shape_.outputs);
      }
      begin = last;
    }
  }

  const WinogradShape shape_;
  const WorkItems work_;
  const int threads_;
  const bool has_bias_;
  const SumEpilogue epilogue_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::vector<float> zeros_;
  const std::string description_;
};

// Products at the machine's speed beside reading weights that do not stay in a core's own cache.
double CostOf(double products, double weight_floats, double reads) {
  constexpr double kCachedFloats = 128 << 10;
  constexpr double kProductsPerFloatRead = 18;
  const double read = weight_floats < kCachedFloats ? 0 : weight_floats * reads;
  const double reading = read * kProductsPerFloatRead;
  return std::max(products, reading) + 0.3 * std::min(products, reading);
}

}  // namespace

std::optional<WinogradShape> WinogradShapeOf(const Graph& graph, const Node& node,
                                             const Convolution& conv, int out_tile) {
  const auto are = [](const dnnl::memory::dims& dims, int64_t value) {
    return std::all_of(dims.begin(), dims.end(), [=](int64_t dim) { return dim == value; });
  };
  const DnnlWindow& window = conv.window;
  const bool fits = !conv.transposed && conv.groups == 1 && conv.source.size() == 4 &&
                    are(window.kernel, 3) && are(window.strides, 1) && are(window.gaps, 0);
  if (!fits || !TakesOwnConvolution(graph, node)) return std::nullopt;
  const WinogradShape shape{.out_tile = out_tile,
                            .batch = conv.source[0],
                            .channels = conv.source[1],
                            .height = conv.source[2],
                            .width = conv.source[3],
                            .outputs = conv.destination[1],
                            .out_height = conv.destination[2],
                            .out_width = conv.destination[3],
                            .pad_top = window.pads_begin[0],
                            .pad_left = window.pads_begin[1]};
  const bool small = shape.channels <= kMaxChannels && shape.packed_floats() <= kMaxPackedFloats;
  return small ? std::optional(shape) : std::nullopt;
}

double DirectCost(const Convolution& conv) {
  const double weights = static_cast<double>(ElementCount(conv.weights));
  const double pixels = static_cast<double>(ElementCount(conv.destination)) / conv.destination[1];
  return CostOf(weights * pixels, weights, 1);
}

double WinogradCost(const WinogradShape& shape) {
  constexpr double kProductsPerTransformedFloat = 6;
  const WorkItems work(shape, 1);
  const double channels = static_cast<double>(shape.channel_blocks() * 16);
  const double outputs = static_cast<double>(shape.panels() * WinogradPanel());
  const double rows = static_cast<double>(shape.tiles() * shape.points());
  return CostOf(rows * channels * outputs, static_cast<double>(shape.packed_floats()),
                static_cast<double>(work.blocks)) +
         kProductsPerTransformedFloat * rows * (channels + outputs);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareWinograd(const Graph& graph, const Node& node,
                                                             const PrepareContext& context,
                                                             const WinogradShape& shape) {
  if (!ElementwiseChain::SupportsEpilogue(graph, node)) {
    return absl::UnimplementedError("Winograd: the epilogue has no own kernel");
  }
  ASSIGN_OR_RETURN(SumEpilogue epilogue, SumEpilogue::Plan(graph, node));
  const Tensor& weights = *graph.constant(node.inputs[1]);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const std::string layout = absl::StrCat("winograd ", shape.out_tile, " panel ", WinogradPanel());
  const auto pack = [&](void* to) -> absl::Status {
    ASSIGN_OR_RETURN(const auto from, store.buffers().Read(weights));
    PackWinograd(shape, static_cast<const float*>(from.get()), static_cast<float*>(to));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(
      auto packed,
      store.GetOrPack(weights, layout, shape.packed_floats() * static_cast<int64_t>(sizeof(float)),
                      pack));
  std::string description = absl::StrCat("simd:winograd", shape.out_tile, EpilogueText(node));
  return std::make_unique<WinogradKernel>(shape, context.threads, HasInput(node, 2),
                                          std::move(epilogue), std::move(packed),
                                          std::move(description));
}

}  // namespace inferd::cpu
