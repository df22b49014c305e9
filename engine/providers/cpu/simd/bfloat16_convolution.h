#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "engine/core/float16.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"

namespace inferd::cpu {

// A convolution of channels-last images in one group. A value type.
struct ConvolvedImages {
  int64_t batch;
  int64_t channels;
  int64_t height;
  int64_t width;
  int64_t outputs;  // channels
  int64_t out_height;
  int64_t out_width;
  int64_t kernel_height;
  int64_t kernel_width;
  int64_t stride_y = 1;
  int64_t stride_x = 1;
  int64_t step_y = 1;  // between taps: the dilation
  int64_t step_x = 1;
  int64_t pad_top = 0;
  int64_t pad_left = 0;
};

// Output pixels that are multiplied at once.
struct TilePixels {
  const Bfloat16* a;
  int64_t rows;  // up to kTileProductRows, padding of lines included
  int64_t line;  // of the first one, counted through the images
  int64_t x;     // its place in the line; from out_width() on it is padding
};

// Packed weights of a convolution, of which some are multiplied.
struct TilePanels {
  const Bfloat16* packed;
  int64_t first;
  int64_t last;
  bool cached = false;               // the core has them in its caches
  const Bfloat16* next_a = nullptr;  // pixels of the block that comes next, as many; may be null
};

// How a convolution runs in tile registers. The lines that a block of outputs reads are copied once
// with their padding, the lines and columns that a stride skips apart from one another, so that
// for each tap of the window the pixels of a whole block lie at one distance: what is padding
// between lines is multiplied too and dropped. The pixels of a pointwise convolution are multiplied
// where they are. Few channels are taken together with the taps of a line. Immutable.
class TileConvolution {
 public:
  explicit TileConvolution(const ConvolvedImages& images);

  // False for images so large that offsets in a block do not fit 32 bits.
  bool fits() const { return fits_; }
  // Elements of one step of the depth, for TileRegisters.
  int64_t depth() const { return depth_; }
  int64_t steps() const { return static_cast<int64_t>(offsets_.size()); }
  int64_t panels() const { return (images_.outputs + kTileStep - 1) / kTileStep; }
  // Columns of a panel.
  int64_t ColumnsOf(int64_t panel) const {
    return std::min(kTileStep, images_.outputs - panel * kTileStep);
  }
  int64_t packed_bytes() const {
    const int64_t columns = (images_.outputs + kTileSide - 1) / kTileSide * kTileSide;
    return columns * steps() * depth_ * int64_t{sizeof(Bfloat16)};
  }
  // Equal for all that pack the same weights equally.
  std::string Form() const;
  // From floats [outputs, channels, kernel_height, kernel_width]; writes all of `packed`.
  void Pack(const float* weights, Bfloat16* packed) const;

  // What can be shared out: lines of outputs through all images, for a pointwise convolution
  // stretches of pixels.
  int64_t lines() const { return lines_; }
  int64_t max_block_lines() const { return block_lines_; }
  // Pixels of a line, and what lies between those of neighbouring lines in a block.
  int64_t out_width() const { return out_width_; }
  int64_t pitch() const { return pitch_; }
  // Of the whole output.
  int64_t pixels() const { return images_.batch * images_.out_height * images_.out_width; }

  // Up to max_block_lines() lines: what it takes to multiply them.
  int64_t max_tiles() const { return max_tiles_; }
  int64_t copied_bytes() const { return copied_elements_ * int64_t{sizeof(Bfloat16)}; }
  // Copies what the outputs of [first_line, last_line) read to `copied`, where it must. Returns how
  // many `tiles` were filled.
  int64_t Prepare(const Bfloat16* x, int64_t first_line, int64_t last_line, Bfloat16* copied,
                  TilePixels* tiles) const;

  // Where the pixels of a line begin, to be fetched ahead; null where they are copied.
  const Bfloat16* PixelsAt(const Bfloat16* x, int64_t line) const {
    return pointwise_ && line < lines_ ? x + line * kTileProductRows * pixel_ : nullptr;
  }

  // Sums all the steps of some panels for the pixels of a block, and calls finish(pixels, panel,
  // sums) for each of them as soon as it is done; sums are [kTileProductRows, kTileStep] and may be
  // changed. `scratch` takes sums_bytes(). The thread has TileRegisters(depth()).
  using FinishFn = absl::FunctionRef<void(const TilePixels& tile, int64_t panel, float* sums)>;
  void Multiply(absl::Span<const TilePixels> tiles, const TilePanels& panels, float* scratch,
                FinishFn finish) const;
  int64_t sums_bytes() const;

 private:
  // The pixels of every stride_y-th line and stride_x-th column.
  struct Phase {
    int64_t y;
    int64_t x;
  };

  // Where the weights of a panel's step begin.
  const Bfloat16* StepOf(const Bfloat16* packed, int64_t panel, int64_t step) const {
    const int64_t tiles = ColumnsOf(panel) > kTileSide ? 2 : 1;
    return packed + (panel * steps() * 2 + step * tiles) * depth_ * kTileSide;
  }
  int64_t StretchSteps(int64_t tiles) const;
  void PlanPointwise();
  void PlanFolded();
  void PlanWindow();
  void PlanBlocks(int64_t taps_y, int64_t taps_x);
  void CopyImage(const Bfloat16* image, int64_t first_line, int64_t lines, Bfloat16* to) const;
  void CopyLine(const Bfloat16* line, const Phase& phase, Bfloat16* to) const;
  int64_t PreparePointwise(const Bfloat16* x, int64_t first_line, int64_t last_line,
                           Bfloat16* copied, TilePixels* tiles) const;

  const ConvolvedImages images_;
  bool fits_ = true;
  bool pointwise_ = false;  // pixels stay where they are
  bool folded_ = false;     // a line's taps are one stretch of depth
  int64_t depth_ = kTileStep;
  int64_t chunks_ = 1;  // steps of a tap
  int64_t pixel_ = 0;   // elements between pixels of neighbouring outputs
  int64_t stored_ = 0;  // elements of an input's pixel, copied
  int64_t out_width_ = 0;
  int64_t pitch_ = 0;
  int64_t lines_ = 0;
  int64_t below_ = 0;  // lines that a line of outputs reads besides its own
  int64_t right_ = 0;
  int64_t block_lines_ = 0;
  int64_t max_tiles_ = 0;
  int64_t plane_ = 0;  // elements of a phase
  int64_t copied_elements_ = 0;
  std::vector<Phase> phases_;
  std::vector<int32_t> offsets_;  // of the steps, from the first tap of a pixel
};

}  // namespace inferd::cpu
