#include "engine/providers/cpu/simd/bfloat16_convolution.h"

#include <immintrin.h>

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/rounding.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/tile_transpose.h"

namespace inferd::cpu {
namespace {

// What a block reads stays in a core's second cache beside the weights of two panels.
constexpr int64_t kBlockElements = 256 << 10;
constexpr int64_t kMaxBlockTiles = 64;
constexpr int64_t kMostStretchSteps = 12;
constexpr int64_t kFewChannels = 4;
constexpr int64_t kLineElements = 64 / int64_t{sizeof(Bfloat16)};
// Weights that stay in the second cache, and pixels of little depth that stay in the first
// meanwhile.
constexpr int64_t kCachedWeights = 384 << 10;
constexpr int64_t kMostCachedSteps = 8;
constexpr int64_t kCachedPixels = 12 << 10;

int64_t Even(int64_t a) { return (a + 1) / 2 * 2; }

// In how many equal even steps a depth divides with no step much emptier than need be; 0: none.
int64_t WholeSteps(int64_t depth) {
  const int64_t least = DivideUp(depth, kTileStep);
  for (int64_t steps = least; steps <= least + DivideUp(least, 4); ++steps) {
    if (depth % steps == 0 && depth / steps % 2 == 0) return steps;
  }
  return 0;
}

// `count` pixels of less than kFewChannels channels with zeros behind them.
__attribute__((target("avx512f,avx512bw"))) void SpreadPixels(const Bfloat16* from,
                                                              int64_t channels, int64_t count,
                                                              Bfloat16* to) {
  constexpr int64_t kPixels = 8;  // of a vector
  alignas(64) uint16_t sources[kPixels * kFewChannels];
  __mmask32 mask = 0;
  for (int64_t i = 0; i < kPixels * kFewChannels; ++i) {
    const int64_t channel = i % kFewChannels;
    sources[i] = static_cast<uint16_t>(i / kFewChannels * channels + channel);
    if (channel < channels) mask |= __mmask32{1} << i;
  }
  const __m512i order = _mm512_load_si512(sources);
  for (int64_t i = 0; i < count; i += kPixels) {
    const int64_t pixels = std::min(kPixels, count - i);
    const auto loaded = static_cast<__mmask32>((uint64_t{1} << (pixels * channels)) - 1);
    const auto stored = static_cast<__mmask32>((uint64_t{1} << (pixels * kFewChannels)) - 1);
    const __m512i values = _mm512_maskz_loadu_epi16(loaded, from + i * channels);
    _mm512_mask_storeu_epi16(to + i * kFewChannels, stored,
                             _mm512_maskz_permutexvar_epi16(mask, order, values));
  }
}

}  // namespace

TileConvolution::TileConvolution(const ConvolvedImages& images) : images_(images) {
  const bool alone = images.kernel_height == 1 && images.kernel_width == 1 &&
                     images.stride_y == 1 && images.stride_x == 1 && images.pad_top == 0 &&
                     images.pad_left == 0 && images.out_height == images.height &&
                     images.out_width == images.width;
  if (alone && WholeSteps(images.channels) > 0) {
    PlanPointwise();
  } else if (images.kernel_width > 1 && images.step_x == 1 &&
             Even(images.channels) * images.kernel_width <= kTileStep) {
    PlanFolded();
  } else {
    PlanWindow();
  }
}

void TileConvolution::PlanPointwise() {
  pointwise_ = true;
  chunks_ = WholeSteps(images_.channels);
  depth_ = images_.channels / chunks_;
  pixel_ = images_.channels;
  out_width_ = pixels();
  pitch_ = out_width_;
  lines_ = DivideUp(pixels(), kTileProductRows);
  const bool cached =
      chunks_ <= kMostCachedSteps && depth_ * chunks_ * panels() * kTileStep <= kCachedWeights;
  block_lines_ = std::clamp<int64_t>(
      (cached ? kCachedPixels : kBlockElements) / (kTileProductRows * pixel_), 1, kMaxBlockTiles);
  max_tiles_ = block_lines_;
  copied_elements_ = kTileProductRows * pixel_;  // of the last pixels
  for (int64_t i = 0; i < chunks_; ++i) offsets_.push_back(static_cast<int32_t>(i * depth_));
}

void TileConvolution::PlanFolded() {
  folded_ = true;
  stored_ =
      images_.channels * images_.kernel_width % 2 == 0 ? images_.channels : Even(images_.channels);
  depth_ = stored_ * images_.kernel_width;
  pixel_ = stored_ * images_.stride_x;
  PlanBlocks(images_.kernel_height, 1);
}

void TileConvolution::PlanWindow() {
  chunks_ = DivideUp(images_.channels, kTileStep);
  depth_ = Even(DivideUp(images_.channels, chunks_));
  stored_ = chunks_ * depth_;
  pixel_ = stored_;
  PlanBlocks(images_.kernel_height, images_.kernel_width);
}

// Phases, offsets and the sizes of what is copied, for so many taps apart from one another.
void TileConvolution::PlanBlocks(int64_t taps_y, int64_t taps_x) {
  const int64_t stride_x = folded_ ? 1 : images_.stride_x;
  const int64_t stride_y = images_.stride_y;
  out_width_ = images_.out_width;
  lines_ = images_.batch * images_.out_height;
  below_ = (taps_y - 1) * images_.step_y / stride_y;
  right_ = folded_ ? DivideUp(images_.kernel_width, images_.stride_x) - 1
                   : (taps_x - 1) * images_.step_x / stride_x;
  pitch_ = out_width_ + right_;
  if (stride_x == 1 && !folded_) {
    // The padding at the end of a line may be that at the start of the next.
    const int64_t end_padding = pitch_ - images_.pad_left - images_.width;
    pitch_ -= std::clamp<int64_t>(end_padding, 0, std::min(images_.pad_left, right_));
  }
  const auto plane_lines = [&](int64_t lines) {
    const int64_t images = std::min(images_.batch, (lines - 1) / images_.out_height + 2);
    return lines + images * below_;
  };
  const int64_t phases = std::min(stride_y, taps_y) * std::min(stride_x, taps_x);
  const int64_t line = phases * pitch_ * pixel_;
  block_lines_ = std::clamp<int64_t>(
      std::min(kBlockElements / line - below_, kMaxBlockTiles * kTileProductRows / pitch_), 1,
      lines_);
  while (block_lines_ > 1 && plane_lines(block_lines_) * line > 2 * kBlockElements) --block_lines_;
  const int64_t images = std::min(images_.batch, (block_lines_ - 1) / images_.out_height + 2);
  max_tiles_ = block_lines_ * pitch_ / kTileProductRows + images + 1;
  plane_ = (plane_lines(block_lines_) * pitch_ + right_ + kTileProductRows) * pixel_;
  // What is read for rows that are dropped.
  const int64_t slack = kTileStep;
  // The taps of the same channels one after the other: they read much the same lines of cache.
  for (int64_t i = 0; i < chunks_; ++i) {
    for (int64_t y = 0; y < taps_y; ++y) {
      for (int64_t x = 0; x < taps_x; ++x) {
        const int64_t from_y = y * images_.step_y;
        const int64_t from_x = x * images_.step_x;
        const Phase phase{from_y % stride_y, from_x % stride_x};
        const auto same = [&](const Phase& p) { return p.y == phase.y && p.x == phase.x; };
        auto found = std::find_if(phases_.begin(), phases_.end(), same);
        if (found == phases_.end()) found = phases_.insert(found, phase);
        const int64_t offset = (found - phases_.begin()) * plane_ +
                               (from_y / stride_y * pitch_ + from_x / stride_x) * pixel_;
        offsets_.push_back(static_cast<int32_t>(offset + i * depth_));
      }
    }
  }
  copied_elements_ = static_cast<int64_t>(phases_.size()) * plane_ + slack;
  fits_ = copied_elements_ < std::numeric_limits<int32_t>::max();
}

std::string TileConvolution::Form() const {
  return absl::StrCat(folded_ ? "lines " : "pixels ", depth_, "x", steps());
}

void TileConvolution::Pack(const float* weights, Bfloat16* packed) const {
  constexpr int64_t kBytes = sizeof(Bfloat16);
  const int64_t taps = images_.kernel_height * images_.kernel_width;
  const int64_t tap_depth = folded_ ? stored_ : depth_;
  const int64_t groups = steps() / chunks_;
  const int64_t filter = images_.channels * taps;
  std::vector<Bfloat16> rounded(tap_depth * taps);
  std::vector<Bfloat16> taps_first(kTileSide * tap_depth * taps);  // [outputs, taps, depth]
  for (int64_t first = 0; first < images_.outputs; first += kTileSide) {
    const int64_t outputs = std::min(kTileSide, images_.outputs - first);
    const int64_t half = first % kTileStep * depth_;
    for (int64_t i = 0; i < chunks_; ++i) {
      const int64_t channel = i * depth_;
      const int64_t count = std::min(tap_depth, images_.channels - channel);
      std::fill(taps_first.begin(), taps_first.end(), Bfloat16());
      for (int64_t o = 0; o < outputs; ++o) {
        RoundToBfloat16(weights + (first + o) * filter + channel * taps, rounded.data(),
                        count * taps);
        TransposeTile(reinterpret_cast<const char*>(rounded.data()), taps * kBytes,
                      reinterpret_cast<char*>(&taps_first[o * tap_depth * taps]),
                      tap_depth * kBytes, taps, count, kBytes);
      }
      for (int64_t group = 0; group < groups; ++group) {
        Bfloat16* to =
            packed + (StepOf(packed, first / kTileStep, i * groups + group) - packed) + half;
        if (outputs < kTileSide) std::fill_n(to, kTileSide * depth_, Bfloat16());
        TransposeTile(reinterpret_cast<const char*>(&taps_first[group * depth_]),
                      taps * tap_depth * kBytes, reinterpret_cast<char*>(to),
                      2 * kTileSide * kBytes, depth_ / 2, outputs, 2 * kBytes);
      }
    }
  }
}

// One line of a phase: padding, pixels, padding.
void TileConvolution::CopyLine(const Bfloat16* line, const Phase& phase, Bfloat16* to) const {
  const int64_t channels = images_.channels;
  const int64_t step = folded_ ? 1 : images_.stride_x;
  const int64_t count = folded_ ? pitch_ * images_.stride_x : pitch_;
  // The column of pixel i is i * step + phase.x - pad_left.
  const int64_t before = images_.pad_left - phase.x;
  const int64_t first = std::clamp<int64_t>(before > 0 ? DivideUp(before, step) : 0, 0, count);
  const int64_t last = std::clamp<int64_t>(DivideUp(images_.width + before, step), first, count);
  std::fill_n(to, first * stored_, Bfloat16());
  const Bfloat16* from = line + (first * step - before) * channels;
  to += first * stored_;
  if (step == 1 && stored_ == channels) {
    std::copy_n(from, (last - first) * channels, to);
    to += (last - first) * channels;
  } else if (step == 1 && stored_ == kFewChannels) {
    SpreadPixels(from, channels, last - first, to);
    to += (last - first) * stored_;
  } else {
    for (int64_t i = first; i < last; ++i, from += step * channels, to += stored_) {
      std::copy_n(from, channels, to);
      std::fill(to + channels, to + stored_, Bfloat16());
    }
  }
  std::fill_n(to, (count - last) * stored_, Bfloat16());
}

// What the outputs of some lines of an image read, phase after phase.
void TileConvolution::CopyImage(const Bfloat16* image, int64_t first_line, int64_t lines,
                                Bfloat16* to) const {
  for (const Phase& phase : phases_) {
    Bfloat16* at = to;
    for (int64_t i = 0; i < lines + below_; ++i, at += pitch_ * pixel_) {
      const int64_t y = (first_line + i) * images_.stride_y + phase.y - images_.pad_top;
      if (y < 0 || y >= images_.height) {
        std::fill_n(at, pitch_ * pixel_, Bfloat16());
      } else {
        CopyLine(image + y * images_.width * images_.channels, phase, at);
      }
    }
    std::fill_n(at, right_ * pixel_, Bfloat16());
    to += plane_;
  }
}

int64_t TileConvolution::PreparePointwise(const Bfloat16* x, int64_t first_line, int64_t last_line,
                                          Bfloat16* copied, TilePixels* tiles) const {
  for (int64_t line = first_line; line < last_line; ++line) {
    const int64_t pixel = line * kTileProductRows;
    TilePixels& tile = tiles[line - first_line];
    tile = {.a = x + pixel * pixel_,
            .rows = std::min(kTileProductRows, pixels() - pixel),
            .line = 0,
            .x = pixel};
    if (tile.rows % kTileSide == 0) continue;
    // Whole tiles are read.
    std::copy_n(tile.a, tile.rows * pixel_, copied);
    std::fill_n(copied + tile.rows * pixel_, (kTileProductRows - tile.rows) * pixel_, Bfloat16());
    tile.a = copied;
  }
  return last_line - first_line;
}

int64_t TileConvolution::Prepare(const Bfloat16* x, int64_t first_line, int64_t last_line,
                                 Bfloat16* copied, TilePixels* tiles) const {
  if (pointwise_) return PreparePointwise(x, first_line, last_line, copied, tiles);
  int64_t count = 0;
  while (first_line < last_line) {
    const int64_t image = first_line / images_.out_height;
    const int64_t end = std::min(last_line, (image + 1) * images_.out_height);
    const int64_t lines = end - first_line;
    CopyImage(x + image * images_.height * images_.width * images_.channels,
              first_line % images_.out_height, lines, copied);
    const int64_t rows = (lines - 1) * pitch_ + out_width_;
    for (int64_t row = 0; row < rows; row += kTileProductRows) {
      tiles[count++] = {.a = copied + row * pixel_,
                        .rows = std::min(kTileProductRows, rows - row),
                        .line = first_line + row / pitch_,
                        .x = row % pitch_};
    }
    copied += (lines + below_) * pitch_ * pixel_;
    first_line = end;
  }
  return count;
}

// Of so many tiles: the weights of a stretch stay in the first cache while they pass. Few do not
// repay what sums cost that go to memory and back.
int64_t TileConvolution::StretchSteps(int64_t tiles) const {
  if (tiles <= 2) return steps();
  const int64_t stretches = DivideUp(steps(), kMostStretchSteps);
  return DivideUp(steps(), stretches);
}

int64_t TileConvolution::sums_bytes() const {
  const bool once = StretchSteps(max_tiles_) == steps();
  return (once ? 1 : max_tiles_) * kTileProductRows * kTileStep * int64_t{sizeof(float)};
}

void TileConvolution::Multiply(absl::Span<const TilePixels> tiles, const TilePanels& panels,
                               float* scratch, FinishFn finish) const {
  const int64_t count = static_cast<int64_t>(tiles.size());
  const int64_t stretch = StretchSteps(count);
  const int64_t step_elements = depth_ * kTileStep;
  const int64_t step_lines = DivideUp(step_elements, kLineElements);
  // Few pixels wait for weights that are fetched while they are multiplied; many let the next
  // stretch come meanwhile.
  const bool near = count <= 2;
  TileWindow window{.a_row = pixel_, .depth = depth_};
  int64_t fetched = 0;
  const int64_t fetch_lines =
      panels.next_a == nullptr ? 0 : DivideUp(count * kTileProductRows * pixel_, kLineElements);
  const int64_t lines_of_step =
      DivideUp(fetch_lines, count * steps() * (panels.last - panels.first));
  for (int64_t panel = panels.first; panel < panels.last; ++panel) {
    for (int64_t step = 0; step < steps(); step += stretch) {
      const int64_t end = std::min(steps(), step + stretch);
      window.offsets = offsets_.data() + step;
      window.b = StepOf(panels.packed, panel, step);
      window.steps = end - step;
      const int64_t lines = DivideUp(step_lines, near ? 1 : count);
      for (int64_t i = 0; i < count; ++i) {
        float* sums = scratch + (stretch < steps() ? i * kTileProductRows * kTileStep : 0);
        window.a = tiles[i].a;
        window.fetch = {};
        if (!panels.cached && near) {
          window.fetch = {window.b + kSoonSteps * step_elements, i > 0 ? 0 : lines, true};
        } else if (!panels.cached) {
          window.fetch = {window.b + window.steps * (step_elements + i * lines * kLineElements),
                          lines};
        } else if (fetched < fetch_lines) {
          window.fetch = {panels.next_a + fetched * kLineElements, lines_of_step};
          fetched += window.steps * lines_of_step;
        }
        MultiplyTileWindow(window, tiles[i].rows, ColumnsOf(panel), step > 0, sums);
        if (end == steps()) finish(tiles[i], panel, sums);
      }
    }
  }
}

}  // namespace inferd::cpu
