#pragma once

#include <cstdint>

namespace inferd::cpu {

// Winograd's minimal filtering for 3x3 convolutions with stride 1 over channels-last floats
// (Lavin and Gray 2015): tiles of out_tile x out_tile outputs come from `points()` products of
// [tiles, channels] with [channels, outputs] instead of 9 an output. out_tile 4 needs a quarter of
// the multiplications, 2 needs 4/9; errors are those of a direct convolution within a factor of
// two. A value type.
struct WinogradShape {
  int out_tile = 4;  // 2 or 4
  int64_t batch = 1;
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t outputs = 0;
  int64_t out_height = 0;
  int64_t out_width = 0;
  int64_t pad_top = 0;
  int64_t pad_left = 0;

  int64_t points() const { return (out_tile + 2) * (out_tile + 2); }
  int64_t tiles_y() const { return (out_height + out_tile - 1) / out_tile; }
  int64_t tiles_x() const { return (out_width + out_tile - 1) / out_tile; }
  int64_t tiles() const { return batch * tiles_y() * tiles_x(); }
  int64_t channel_blocks() const { return (channels + 15) / 16; }
  // Panels of `WinogradPanel()` outputs; the last may be partly empty.
  int64_t panels() const;
  // Floats of the packed weights, of zeros that stand for a pixel of padding, and of the scratch
  // that a block of `tiles` needs.
  int64_t packed_floats() const;
  int64_t zero_floats() const { return channels; }
  int64_t scratch_floats(int64_t tiles) const;
};

// Outputs that the product computes at a time, two vectors. Depends on the instruction set in use.
int64_t WinogradPanel();

// Transforms weights [outputs, channels, 3, 3] into shape.packed_floats() floats.
void PackWinograd(const WinogradShape& shape, const float* weights, float* packed);

// Tiles [first_tile, first_tile + tiles) in the order image, row, column, and of their outputs the
// panels [first_panel, last_panel): y = min(max(convolution + bias + add, low), high).
struct WinogradBlock {
  const float* x;
  int64_t x_step;  // floats from a pixel to the next
  const float* packed;
  const float* zeros;  // shape.zero_floats() of them
  const float* bias;   // [outputs] or null
  const float* add;    // of y's shape and layout, or null
  float low;
  float high;
  int64_t first_tile;
  int64_t tiles;
  int64_t first_panel;
  int64_t last_panel;
  float* scratch;  // shape.scratch_floats(tiles), 64-byte aligned
  float* y;
  int64_t y_step;  // as x_step
};
void RunWinograd(const WinogradShape& shape, const WinogradBlock& block);

}  // namespace inferd::cpu
