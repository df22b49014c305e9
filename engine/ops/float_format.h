#pragma once

#include <cstdint>

#include "engine/core/dtype.h"

namespace inferd {

// A small binary floating-point format, by its field widths and what it spends bits on. The formats
// of the OCP 8-bit and microscaling specifications and of IEEE 754. Immutable.
struct FloatFormat {
  enum class Special : uint8_t {
    kInfinityAndNan,  // IEEE: the top exponent holds both
    kNanAtTop,        // "fn": only all ones is NaN, no infinity
    kNanAtMinusZero,  // "fnuz": only the sign bit is NaN, no infinity, no -0
    kNone,            // neither; NaN becomes -0
  };
  int exponent_bits;
  int mantissa_bits;
  int bias;
  Special special;
};

// The format of float16, bfloat16, a float8e4m3*, float8e5m2* or float4e2m1; null for other types.
const FloatFormat* FindFloatFormat(DType dtype);

// `value` rounded to nearest even. Beyond the largest finite value (infinity included): that value
// when `saturate`, else infinity, or NaN where the format has none.
uint16_t EncodeFloat(double value, const FloatFormat& format, bool saturate);
double DecodeFloat(uint16_t bits, const FloatFormat& format);

// float8e8m0 holds powers of two, 2^(bits - 127), and NaN as 255.
enum class PowerRounding : uint8_t { kUp, kDown, kNearest };
// Zero and less become the smallest power when `saturate`, NaN else.
uint8_t EncodePowerOfTwo(double value, PowerRounding rounding, bool saturate);
double DecodePowerOfTwo(uint8_t bits);

}  // namespace inferd
