#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// Quantized values as they are stored; integers of fewer bits take a byte each.
enum class Stored : uint8_t {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kFloat8E4m3,  // without infinities
  kFloat8E5m2,
};

// Which scale and zero point serve an element of x: that at the sum of its coordinates times the
// strides, the coordinate along `axis` divided by `block` first. Dims are those of x in the order
// of its memory.
struct ScaleGrid {
  Dims dims;
  Strides strides;
  int axis = -1;
  int64_t block = 1;
};

// y = round(x / scale) + zero, halves to even, clamped; NaN gives the zero point. The quotient is
// rounded to `precision` first. Of floats of 8 bits it is x / scale + zero, rounded to them.
struct QuantizeRequest {
  const void* x = nullptr;
  const void* scale = nullptr;
  const void* zero = nullptr;  // as y is stored; null: zeros
  void* y = nullptr;
  Type x_type = Type::kFloat32;
  Type scale_type = Type::kFloat32;
  Type precision = Type::kFloat32;
  Stored stored = Stored::kUint8;
  int64_t lowest = 0;  // of integers
  int64_t highest = 255;
  bool saturates = true;  // floats: what is too large becomes the largest finite one
  int64_t elements = 0;
  ScaleGrid grid;
};
void LaunchQuantize(const QuantizeRequest& request, Stream stream);

// y = (x - zero) * scale.
struct DequantizeRequest {
  const void* x = nullptr;
  const void* scale = nullptr;
  const void* zero = nullptr;  // as x is stored; null: zeros
  void* y = nullptr;
  Stored stored = Stored::kUint8;
  Type scale_type = Type::kFloat32;
  Type y_type = Type::kFloat32;
  int64_t elements = 0;
  ScaleGrid grid;
};
void LaunchDequantize(const DequantizeRequest& request, Stream stream);

// Writes scale and zero point, in 0 to 255, of floats over their range widened to contain 0. Takes
// kRangeScratchBytes of scratch.
inline constexpr int kRangeBlocks = 256;
inline constexpr int64_t kRangeScratchBytes = 2 * kRangeBlocks * 4;
void LaunchRange(const void* x, int64_t elements, void* scratch, float* scale, uint8_t* zero,
                 Stream stream);

}  // namespace inferd::cuda
