#include "engine/providers/cpu/bfloat16_convolution.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/core/rounding.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/simd/bfloat16_convolution.h"
#include "engine/providers/cpu/simd/bfloat16_finish.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kMinPerThread = 4 << 20;  // multiplications
constexpr int64_t kMinThreadPanels = 2;
// Weights that stay in the second cache from one block of pixels to the next.
constexpr int64_t kCachedBytes = 768 << 10;
constexpr int64_t kLine = 64;

// The steps of an epilogue by what they need: those of the sums alone, what is added, bounds.
struct TileEpilogue {
  RoundedActivation activation;
  size_t own_steps = 0;  // where that is none
  int add = -1;
  bool narrow_add = false;
  SumBounds bounds;
};

bool IsBound(const EpilogueStep& step) { return SumBounds().Take(step); }

std::optional<TileEpilogue> PlanEpilogue(const Graph& graph, const Node& node) {
  TileEpilogue plan;
  const auto& steps = node.epilogue;
  size_t taken = 0;
  const bool narrow = graph.value(node.outputs[0]).type.dtype == DType::kBfloat16;
  if (const auto activation =
          steps.empty() || !narrow ? std::nullopt : RoundedActivation::Of(steps[0])) {
    plan.activation = *activation;
    taken = 1;
  } else {
    while (taken < steps.size() && steps[taken].operand < 0 && !IsBound(steps[taken])) ++taken;
    plan.own_steps = taken;
  }
  if (taken < steps.size() && AddsLikeOutput(graph, node, steps[taken])) {
    const DType type = graph.value(node.inputs[steps[taken].operand]).type.dtype;
    if (type != DType::kFloat32 && type != DType::kBfloat16) return std::nullopt;
    plan.add = steps[taken].operand;
    plan.narrow_add = type == DType::kBfloat16;
    ++taken;
  }
  while (taken < steps.size() && plan.bounds.Take(steps[taken])) ++taken;
  if (taken < steps.size()) return std::nullopt;
  return plan;
}

ConvolvedImages ImagesOf(const Convolution& conv) {
  const DnnlWindow& window = conv.window;
  return {.batch = conv.source[0],
          .channels = conv.source[1],
          .height = conv.source[2],
          .width = conv.source[3],
          .outputs = conv.destination[1],
          .out_height = conv.destination[2],
          .out_width = conv.destination[3],
          .kernel_height = window.kernel[0],
          .kernel_width = window.kernel[1],
          .stride_y = window.strides[0],
          .stride_x = window.strides[1],
          .step_y = window.gaps[0] + 1,
          .step_x = window.gaps[1] + 1,
          .pad_top = window.pads_begin[0],
          .pad_left = window.pads_begin[1]};
}

class TileConvolutionKernel : public BoundKernel {
 public:
  struct Finish {
    int bias = -1;
    bool narrow = true;
    TileEpilogue epilogue;
    ElementwiseChain chain;  // epilogue.own_steps
  };

  TileConvolutionKernel(TileConvolution convolution, int64_t outputs, int threads, Finish finish,
                        std::shared_ptr<const PackedWeights> weights, std::string description)
      : convolution_(std::move(convolution)),
        outputs_(outputs),
        threads_(std::max(1, threads)),
        finish_(std::move(finish)),
        weights_(std::move(weights)),
        description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    const int threads = std::min(threads_, context.threads);
    const int64_t panels = convolution_.panels();
    const int64_t lines = convolution_.lines();
    const int64_t panel_products =
        convolution_.pixels() * convolution_.steps() * convolution_.depth() * kTileStep;
    // Threads share the panels where what takes time is to read them.
    if (convolution_.packed_bytes() > kCachedBytes && panels >= kMinThreadPanels * threads) {
      ParallelParts(threads, panels, kMinPerThread / panel_products + 1, 1,
                    [&](int part, int64_t begin, int64_t end) {
                      RunPart(context, part, 0, lines, begin, end);
                    });
    } else {
      ParallelParts(threads, lines, kMinPerThread * lines / (panel_products * panels) + 1, 1,
                    [&](int part, int64_t begin, int64_t end) {
                      RunPart(context, part, begin, end, 0, panels);
                    });
    }
    return absl::OkStatus();
  }
  int64_t scratch_bytes() const override { return threads_ * PartBytes(); }
  std::string description() const override { return description_; }
  bool holds_input(int i) const override { return i == 1; }
  bool writes_over_input(int i) const override { return i == finish_.epilogue.add; }

 private:
  // What a thread has: sums, pixels, and the copied part of the images.
  int64_t PixelsBytes() const {
    return RoundUp(convolution_.max_tiles() * int64_t{sizeof(TilePixels)}, kLine);
  }
  int64_t PartBytes() const {
    return convolution_.sums_bytes() + PixelsBytes() + RoundUp(convolution_.copied_bytes(), kLine);
  }

  void RunPart(const StepContext& context, int part, int64_t first_line, int64_t last_line,
               int64_t first_panel, int64_t last_panel) const {
    const TileRegisters registers(convolution_.depth());
    char* scratch = static_cast<char*>(context.scratch) + part * PartBytes();
    auto* sums = reinterpret_cast<float*>(scratch);
    auto* tiles = reinterpret_cast<TilePixels*>(scratch + convolution_.sums_bytes());
    auto* copied = reinterpret_cast<Bfloat16*>(scratch + convolution_.sums_bytes() + PixelsBytes());
    const auto* x = context.inputs[0]->data<Bfloat16>();
    TilePanels panels{.packed = static_cast<const Bfloat16*>(weights_->data()),
                      .first = first_panel,
                      .last = last_panel};
    const int64_t lines = last_line - first_line;
    const int64_t blocks = DivideUp(lines, convolution_.max_block_lines());
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t end = first_line + lines * (b + 1) / blocks;
      const int64_t count =
          convolution_.Prepare(x, first_line + lines * b / blocks, end, copied, tiles);
      panels.next_a = convolution_.PixelsAt(x, end);
      convolution_.Multiply({tiles, static_cast<size_t>(count)}, panels, sums,
                            [&](const TilePixels& tile, int64_t panel, float* of_tile) {
                              FinishTile(context, tile, panel, of_tile);
                            });
      panels.cached = convolution_.packed_bytes() <= kCachedBytes;
    }
  }

  // Without what is padding between lines.
  void FinishTile(const StepContext& context, const TilePixels& tile, int64_t panel,
                  float* sums) const {
    const int64_t columns = convolution_.ColumnsOf(panel);
    const int64_t column = panel * kTileStep;
    const float* bias =
        finish_.bias < 0 ? nullptr : context.inputs[finish_.bias]->data<float>() + column;
    if (!finish_.chain.empty()) {
      if (bias != nullptr) AddBias(bias, tile.rows, columns, sums);
      finish_.chain.ApplyToFloats(sums, tile.rows * kTileStep);
      bias = nullptr;
    }
    FinishedRows finished{.activation = finish_.epilogue.activation,
                          .bias = bias,
                          .narrow_add = finish_.epilogue.narrow_add,
                          .narrow = finish_.narrow,
                          .row = outputs_,
                          .low = finish_.epilogue.bounds.low,
                          .high = finish_.epilogue.bounds.high};
    const auto at = [&](const void* tensor, bool narrow, int64_t pixel) {
      return static_cast<const char*>(tensor) +
             (pixel * outputs_ + column) * (narrow ? sizeof(Bfloat16) : sizeof(float));
    };
    int64_t line = tile.line;
    int64_t x = tile.x;
    for (int64_t row = 0; row < tile.rows;) {
      const int64_t rows = std::min(tile.rows - row, convolution_.out_width() - x);
      if (rows > 0) {
        const int64_t pixel = line * convolution_.out_width() + x;
        if (finish_.epilogue.add >= 0) {
          finished.add =
              at(context.inputs[finish_.epilogue.add]->raw(), finished.narrow_add, pixel);
        }
        finished.y = const_cast<char*>(at(context.outputs[0]->raw(), finished.narrow, pixel));
        FinishRows(sums + row * kTileStep, rows, columns, finished);
      }
      row += convolution_.pitch() - x;
      x = 0;
      ++line;
    }
  }

  const TileConvolution convolution_;
  const int64_t outputs_;
  const int threads_;
  const Finish finish_;
  const std::shared_ptr<const PackedWeights> weights_;
  const std::string description_;
};

}  // namespace

bool TakesTileConvolution(const Graph& graph, const Node& node, const Convolution& conv) {
  const DType type = graph.value(node.outputs[0]).type.dtype;
  return ComputesBfloat16Tiles() && !conv.transposed && conv.groups == 1 &&
         conv.source.size() == 4 && graph.value(node.inputs[0]).type.dtype == DType::kBfloat16 &&
         (type == DType::kBfloat16 || type == DType::kFloat32) &&
         TakesOwnConvolution(graph, node, /*narrow=*/true) &&
         ElementwiseChain::SupportsEpilogue(graph, node) && PlanEpilogue(graph, node) &&
         TileConvolution(ImagesOf(conv)).fits();
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareTileConvolution(const Graph& graph,
                                                                    const Node& node,
                                                                    const PrepareContext& context,
                                                                    const Convolution& conv) {
  TileConvolution convolution(ImagesOf(conv));
  const Tensor& weights = *graph.constant(node.inputs[1]);
  WeightStore private_store;
  WeightStore& store = context.weights == nullptr ? private_store : *context.weights;
  const auto pack = [&](void* to) -> absl::Status {
    ASSIGN_OR_RETURN(const auto from, store.buffers().Read(weights));
    convolution.Pack(static_cast<const float*>(from.get()), static_cast<Bfloat16*>(to));
    return absl::OkStatus();
  };
  ASSIGN_OR_RETURN(auto packed,
                   store.GetOrPack(weights, absl::StrCat("convolution tiles ", convolution.Form()),
                                   convolution.packed_bytes(), pack));
  TileConvolutionKernel::Finish finish;
  finish.epilogue = *PlanEpilogue(graph, node);
  finish.bias = HasInput(node, 2) ? 2 : -1;
  finish.narrow = graph.value(node.outputs[0]).type.dtype == DType::kBfloat16;
  ASSIGN_OR_RETURN(finish.chain,
                   ElementwiseChain::Epilogue(graph, node, 0, finish.epilogue.own_steps));
  return std::make_unique<TileConvolutionKernel>(
      std::move(convolution), conv.destination[1], context.threads, std::move(finish),
      std::move(packed), absl::StrCat("tiles:convolution", EpilogueText(node)));
}

}  // namespace inferd::cpu
