#include "engine/providers/cpu/simd/winograd_f32.h"

#include <algorithm>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/winograd_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/tile_product-inl.h"
#include "engine/providers/cpu/simd/winograd_transforms-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

constexpr int64_t kLanes = HWY_LANES(float);
constexpr int64_t kPanel = 2 * kLanes;

int64_t PanelFloats() { return kPanel; }

// Where transformed tiles lie in the scratch: for each point [channel blocks][tiles][16], then for
// each point [tiles][panel]. One line more keeps the points from competing for the same cache sets.
struct Places {
  Places(const WinogradShape& shape, int64_t tiles)
      : block(tiles * kBlock),
        source_point(shape.channel_blocks() * block + kBlock),
        product_point(tiles * kPanel + kBlock) {}
  int64_t block;
  int64_t source_point;
  int64_t product_point;
};

HWY_INLINE V LoadChannels(const float* from, int64_t count) {
  return count >= kLanes ? hn::LoadU(D(), from) : LoadPart(from, static_cast<size_t>(count));
}

HWY_INLINE void StoreChannels(V v, float* to, int64_t count) {
  if (count >= kLanes) {
    hn::StoreU(v, D(), to);
  } else {
    StorePart(v, to, static_cast<size_t>(count));
  }
}

// Weights: panel after panel, in each point after point, in each channel after channel a row of the
// panel's outputs.
template <int kOutTile>
void Pack(const WinogradShape& shape, const float* weights, float* packed) {
  constexpr int kTile = kOutTile + 2;
  const int64_t point = shape.channel_blocks() * kBlock * kPanel;
  HWY_ALIGN float filters[9 * kLanes];
  HWY_ALIGN float half[kTile * 3 * kLanes];
  for (int64_t column = 0; column < shape.outputs; column += kLanes) {
    const int64_t count = std::min(kLanes, shape.outputs - column);
    float* panel = packed + column / kPanel * kTile * kTile * point + column % kPanel;
    for (int64_t c = 0; c < shape.channels; ++c) {
      std::fill_n(filters, 9 * kLanes, 0.0f);
      for (int64_t o = 0; o < count; ++o) {
        const float* filter = weights + ((column + o) * shape.channels + c) * 9;
        for (int i = 0; i < 9; ++i) filters[i * kLanes + o] = filter[i];
      }
      for (int j = 0; j < 3; ++j) {
        Winograd<kOutTile>::Weights(
            [&](int i) { return hn::Load(D(), filters + (i * 3 + j) * kLanes); },
            [&](int i, V v) { hn::Store(v, D(), half + (i * 3 + j) * kLanes); });
      }
      for (int i = 0; i < kTile; ++i) {
        Winograd<kOutTile>::Weights(
            [&](int j) { return hn::Load(D(), half + (i * 3 + j) * kLanes); },
            [&](int j, V v) { hn::StoreU(v, D(), panel + (i * kTile + j) * point + c * kPanel); });
      }
    }
  }
}

struct TilePlace {
  int64_t image;
  int64_t y;  // of the first output
  int64_t x;
};

HWY_INLINE TilePlace PlaceOf(const WinogradShape& shape, int64_t tile) {
  const int64_t in_image = shape.tiles_y() * shape.tiles_x();
  const int64_t rest = tile % in_image;
  return {tile / in_image, rest / shape.tiles_x() * shape.out_tile,
          rest % shape.tiles_x() * shape.out_tile};
}

// Transforms the input of one tile into `to`, the tile's place in the scratch.
template <int kOutTile>
HWY_INLINE void TransformTile(const WinogradShape& shape, const WinogradBlock& block,
                              const TilePlace& place, const Places& places, float* to) {
  constexpr int kTile = kOutTile + 2;
  const int64_t channels = shape.channels;
  const int64_t top = place.y - shape.pad_top;
  const int64_t left = place.x - shape.pad_left;
  const float* rows[kTile];
  int64_t steps[kTile];
  for (int i = 0; i < kTile; ++i) {
    const bool inside = top + i >= 0 && top + i < shape.height;
    const int64_t pixel = (place.image * shape.height + top + i) * shape.width + left;
    rows[i] = inside ? block.x + pixel * block.x_step : block.zeros;
    steps[i] = inside ? block.x_step : 0;
  }
  // Columns outside the image.
  const int64_t first = std::max<int64_t>(0, -left);
  const int64_t last = std::min<int64_t>(kTile, shape.width - left);
  HWY_ALIGN float half[kTile * kTile * kLanes];
  for (int64_t j = 0; j < kTile; ++j) {
    if (j >= first && j < last) continue;
    for (int i = 0; i < kTile; ++i) hn::Store(hn::Zero(D()), D(), half + (i * kTile + j) * kLanes);
  }
  const auto transform = [&](int64_t c, const auto& load) {
    for (int64_t j = first; j < last; ++j) {
      Winograd<kOutTile>::Input(
          [&](int i) { return load(rows[i] + j * steps[i] + c); },
          [&](int i, V v) { hn::Store(v, D(), half + (i * kTile + j) * kLanes); });
    }
    float* at = to + c / kBlock * places.block + c % kBlock;
    for (int i = 0; i < kTile; ++i) {
      Winograd<kOutTile>::Input(
          [&](int j) { return hn::Load(D(), half + (i * kTile + j) * kLanes); },
          [&](int j, V v) { hn::StoreU(v, D(), at + (i * kTile + j) * places.source_point); });
    }
  };
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    transform(c, [](const float* from) { return hn::LoadU(D(), from); });
  }
  if (c < channels) {
    const size_t rest = static_cast<size_t>(channels - c);
    transform(c, [rest](const float* from) { return LoadPart(from, rest); });
    c += kLanes;
  }
  for (; c < shape.channel_blocks() * kBlock; c += kLanes) {
    float* at = to + c / kBlock * places.block + c % kBlock;
    for (int p = 0; p < kTile * kTile; ++p) {
      hn::StoreU(hn::Zero(D()), D(), at + p * places.source_point);
    }
  }
}

// Transforms one tile's products of one panel, `from`, into outputs [column, column + count).
template <int kOutTile>
HWY_INLINE void FinishTile(const WinogradShape& shape, const WinogradBlock& block,
                           const TilePlace& place, const Places& places, const float* from,
                           int64_t column, int64_t count) {
  constexpr int kTile = kOutTile + 2;
  HWY_ALIGN float half[kOutTile * kTile * kLanes];
  for (int j = 0; j < kTile; ++j) {
    Winograd<kOutTile>::Output(
        [&](int i) { return hn::LoadU(D(), from + (i * kTile + j) * places.product_point); },
        [&](int i, V v) { hn::Store(v, D(), half + (i * kTile + j) * kLanes); });
  }
  const V bias = block.bias == nullptr ? hn::Zero(D()) : LoadChannels(block.bias + column, count);
  const V low = Const(block.low);
  const V high = Const(block.high);
  const int64_t height = std::min<int64_t>(kOutTile, shape.out_height - place.y);
  const int64_t width = std::min<int64_t>(kOutTile, shape.out_width - place.x);
  for (int64_t i = 0; i < height; ++i) {
    const int64_t pixel =
        (place.image * shape.out_height + place.y + i) * shape.out_width + place.x;
    Winograd<kOutTile>::Output(
        [&](int j) { return hn::Load(D(), half + (i * kTile + j) * kLanes); },
        [&](int j, V v) {
          if (j >= width) return;
          v = hn::Add(v, bias);
          if (block.add != nullptr) {
            const float* add = block.add + (pixel + j) * shape.outputs + column;
            v = hn::Add(v, LoadChannels(add, count));
          }
          // Min and Max return their second operand when either is NaN.
          float* y = block.y + (pixel + j) * block.y_step + column;
          StoreChannels(hn::Min(high, hn::Max(low, v)), y, count);
        });
  }
}

template <int kOutTile>
void Run(const WinogradShape& shape, const WinogradBlock& block) {
  constexpr int kPoints = (kOutTile + 2) * (kOutTile + 2);
  const Places places(shape, block.tiles);
  float* const source = block.scratch;
  float* const product = source + kPoints * places.source_point;
  for (int64_t t = 0; t < block.tiles; ++t) {
    TransformTile<kOutTile>(shape, block, PlaceOf(shape, block.first_tile + t), places,
                            source + t * kBlock);
  }
  const int64_t weights_point = shape.channel_blocks() * kBlock * kPanel;
  for (int64_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    for (int64_t p = 0; p < kPoints; ++p) {
      const float* weights = block.packed + (panel * kPoints + p) * weights_point;
      PanelProduct({.a = source + p * places.source_point,
                    .a_block = places.block,
                    .blocks = shape.channel_blocks(),
                    .b = weights,
                    .next = weights + weights_point,
                    .next_step = 0},
                   block.tiles, product + p * places.product_point);
    }
    for (int64_t t = 0; t < block.tiles; ++t) {
      const TilePlace place = PlaceOf(shape, block.first_tile + t);
      for (int64_t c = 0; c < kPanel; c += kLanes) {
        const int64_t column = panel * kPanel + c;
        if (column >= shape.outputs) break;
        FinishTile<kOutTile>(shape, block, place, places, product + t * kPanel + c, column,
                             shape.outputs - column);
      }
    }
  }
}

void PackAny(const WinogradShape& shape, const float* weights, float* packed) {
  return shape.out_tile == 4 ? Pack<4>(shape, weights, packed) : Pack<2>(shape, weights, packed);
}

void RunAny(const WinogradShape& shape, const WinogradBlock& block) {
  return shape.out_tile == 4 ? Run<4>(shape, block) : Run<2>(shape, block);
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(PanelFloats);
HWY_EXPORT(PackAny);
HWY_EXPORT(RunAny);

int64_t WinogradPanel() { return HWY_DYNAMIC_DISPATCH(PanelFloats)(); }

int64_t WinogradShape::panels() const {
  const int64_t panel = WinogradPanel();
  return (outputs + panel - 1) / panel;
}

int64_t WinogradShape::packed_floats() const {
  return panels() * WinogradPanel() * points() * channel_blocks() * 16;
}

int64_t WinogradShape::scratch_floats(int64_t tiles) const {
  return points() * (tiles * (channel_blocks() * 16 + WinogradPanel()) + 32);
}

void PackWinograd(const WinogradShape& shape, const float* weights, float* packed) {
  HWY_DYNAMIC_DISPATCH(PackAny)(shape, weights, packed);
}

void RunWinograd(const WinogradShape& shape, const WinogradBlock& block) {
  HWY_DYNAMIC_DISPATCH(RunAny)(shape, block);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
