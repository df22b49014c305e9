#include "engine/providers/cpu/simd/depthwise_f32.h"

#include <algorithm>
#include <utility>

#include "engine/providers/cpu/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/providers/cpu/simd/depthwise_f32.cc"
// The loop over targets must come before what it compiles again.
// clang-format off
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "engine/providers/cpu/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace inferd::cpu::HWY_NAMESPACE {

constexpr int64_t kLanes = HWY_LANES(float);

// Neighbouring outputs that are summed together, so that each weight and most inputs are loaded
// once for several of them. Seven because the rows of common networks are multiples of it.
constexpr int kPixels = HWY_TARGET == HWY_AVX3 ? 7 : 4;
// Vectors of channels at a time, as registers allow.
constexpr int Wide(int kernel) { return HWY_TARGET == HWY_AVX3 && kernel <= 5 ? 2 : 1; }

constexpr int NumColumns(int kernel, int stride) { return (kPixels - 1) * stride + kernel; }

using AllPixels = std::make_integer_sequence<int, kPixels>;

// Where a block of outputs reads: for each of `rows` rows of the window a pointer to each column.
struct BlockInput {
  const float* const* columns;
  int64_t rows;
  const float* weights;  // of the first of these rows
  int64_t pixels;        // outputs that exist
  int64_t offset;        // of the first output in y
};

// Indices in parameter packs, not loops: g++ keeps arrays of vectors in memory unless every index
// is a constant.
template <int kKernel, int kStride, int kVectors>
struct ChannelSums {
  V sums[kPixels][kVectors];

  template <typename Load, int... kPixel>
  HWY_INLINE void Set(const float* bias, const Load& load, std::integer_sequence<int, kPixel...>) {
    const V first = bias == nullptr ? hn::Zero(D()) : load(bias, 0);
    ((sums[kPixel][0] = first), ...);
    if constexpr (kVectors == 2) {
      const V second = bias == nullptr ? hn::Zero(D()) : load(bias, 1);
      ((sums[kPixel][1] = second), ...);
    }
  }

  // Calls fn(pixel, vector, sum) for all.
  template <typename Fn, int... kPixel>
  HWY_INLINE void ForEach(std::integer_sequence<int, kPixel...>, const Fn& fn) const {
    (fn(kPixel, 0, sums[kPixel][0]), ...);
    if constexpr (kVectors == 2) (fn(kPixel, 1, sums[kPixel][1]), ...);
  }

  template <int kColumn, int... kPixel>
  HWY_INLINE void AddColumn(const V (&weights)[kKernel][kVectors], const V (&x)[kVectors],
                            std::integer_sequence<int, kPixel...>) {
    const auto add = [&](auto pixel) HWY_ATTR {
      constexpr int kTap = kColumn - pixel() * kStride;
      if constexpr (kTap >= 0 && kTap < kKernel) {
        sums[pixel()][0] = hn::MulAdd(x[0], weights[kTap][0], sums[pixel()][0]);
        if constexpr (kVectors == 2) {
          sums[pixel()][1] = hn::MulAdd(x[1], weights[kTap][1], sums[pixel()][1]);
        }
      }
    };
    (add(std::integral_constant<int, kPixel>()), ...);
  }

  // One row of the window; load(pointer, vector) loads channels.
  template <typename Load, int... kTap, int... kColumn>
  HWY_INLINE void AddRow(const float* const* columns, const float* weights, int64_t channels,
                         const Load& load, std::integer_sequence<int, kTap...>,
                         std::integer_sequence<int, kColumn...>) {
    V w[kKernel][kVectors];
    const auto load_weights = [&](auto tap) HWY_ATTR {
      w[tap()][0] = load(weights + tap() * channels, 0);
      if constexpr (kVectors == 2) w[tap()][1] = load(weights + tap() * channels, 1);
    };
    (load_weights(std::integral_constant<int, kTap>()), ...);
    const auto add_column = [&](auto column) HWY_ATTR {
      V x[kVectors];
      x[0] = load(columns[column()], 0);
      if constexpr (kVectors == 2) x[1] = load(columns[column()], 1);
      AddColumn<column()>(w, x, AllPixels());
    };
    (add_column(std::integral_constant<int, kColumn>()), ...);
  }
};

// Channels [c, c + kVectors * kLanes), or only the first `count` of them.
template <int kKernel, int kStride, int kVectors, bool kPart>
HWY_INLINE void SumChannels(const DepthwiseShape& shape, const DepthwiseOperands& operands,
                            const BlockInput& input, int64_t c, size_t count) {
  const auto load = [c, count](const float* from, int vector) HWY_ATTR {
    return kPart ? LoadPart(from + c, count) : hn::LoadU(D(), from + c + vector * kLanes);
  };
  ChannelSums<kKernel, kStride, kVectors> all;
  all.Set(operands.bias, load, AllPixels());
  for (int64_t row = 0; row < input.rows; ++row) {
    all.AddRow(input.columns + row * NumColumns(kKernel, kStride),
               input.weights + row * kKernel * shape.channels, shape.channels, load,
               std::make_integer_sequence<int, kKernel>(),
               std::make_integer_sequence<int, NumColumns(kKernel, kStride)>());
  }
  const V low = Const(operands.low);
  const V high = Const(operands.high);
  all.ForEach(AllPixels(), [&](int pixel, int vector, V v) HWY_ATTR {
    if (pixel >= input.pixels) return;
    const int64_t offset = input.offset + pixel * shape.channels;
    if (operands.add != nullptr) v = hn::Add(v, load(operands.add + offset, vector));
    // Min and Max return their second operand when either is NaN.
    v = hn::Min(high, hn::Max(low, v));
    float* const to = operands.y + offset + c + vector * kLanes;
    if (kPart) {
      StorePart(v, to, count);
    } else {
      hn::StoreU(v, D(), to);
    }
  });
}

template <int kKernel, int kStride>
void Row(const DepthwiseShape& shape, const DepthwiseOperands& operands, int64_t row) {
  constexpr int kColumns = NumColumns(kKernel, kStride);
  constexpr int kWide = Wide(kKernel);
  const int64_t image = row / shape.out_height;
  const int64_t top = row % shape.out_height * kStride - shape.pad_top;
  const int64_t first = std::clamp<int64_t>(-top, 0, kKernel);
  const int64_t last = std::clamp<int64_t>(shape.height - top, first, kKernel);
  const float* columns[kKernel * kColumns];
  for (int64_t ox = 0; ox < shape.out_width; ox += kPixels) {
    // The last block overlaps the one before where it can.
    const int64_t x = std::max<int64_t>(0, std::min(ox, shape.out_width - kPixels));
    const int64_t left = x * kStride - shape.pad_left;
    for (int64_t i = first; i < last; ++i) {
      const int64_t line_row =
          operands.ring_rows == 0 ? image * shape.height + top + i : (top + i) % operands.ring_rows;
      const int64_t line = line_row * shape.width;
      for (int64_t j = 0; j < kColumns; ++j) {
        const bool inside = left + j >= 0 && left + j < shape.width;
        columns[(i - first) * kColumns + j] =
            inside ? operands.x + (line + left + j) * shape.channels : operands.zeros;
      }
    }
    const BlockInput input = {.columns = columns,
                              .rows = last - first,
                              .weights = operands.weights + first * kKernel * shape.channels,
                              .pixels = std::min<int64_t>(kPixels, shape.out_width - x),
                              .offset = (row * shape.out_width + x) * shape.channels};
    int64_t c = 0;
    for (; kWide == 2 && c + 2 * kLanes <= shape.channels; c += 2 * kLanes) {
      SumChannels<kKernel, kStride, kWide, false>(shape, operands, input, c, 0);
    }
    for (; c + kLanes <= shape.channels; c += kLanes) {
      SumChannels<kKernel, kStride, 1, false>(shape, operands, input, c, 0);
    }
    if (c < shape.channels) {
      SumChannels<kKernel, kStride, 1, true>(shape, operands, input, c,
                                             static_cast<size_t>(shape.channels - c));
    }
  }
}

void AnyRow(const DepthwiseShape& shape, const DepthwiseOperands& operands, int64_t row) {
  const bool once = shape.stride == 1;
  if (shape.kernel == 3)
    return once ? Row<3, 1>(shape, operands, row) : Row<3, 2>(shape, operands, row);
  if (shape.kernel == 5)
    return once ? Row<5, 1>(shape, operands, row) : Row<5, 2>(shape, operands, row);
  return once ? Row<7, 1>(shape, operands, row) : Row<7, 2>(shape, operands, row);
}

}  // namespace inferd::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace inferd::cpu {

HWY_EXPORT(AnyRow);

void DepthwiseRow(const DepthwiseShape& shape, const DepthwiseOperands& operands, int64_t row) {
  HWY_DYNAMIC_DISPATCH(AnyRow)(shape, operands, row);
}

}  // namespace inferd::cpu
#endif  // HWY_ONCE
