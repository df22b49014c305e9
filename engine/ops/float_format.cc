#include "engine/ops/float_format.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace inferd {
namespace {

using Special = FloatFormat::Special;

constexpr FloatFormat kFloat16Format = {5, 10, 15, Special::kInfinityAndNan};
constexpr FloatFormat kBfloat16Format = {8, 7, 127, Special::kInfinityAndNan};
constexpr FloatFormat kE4m3fnFormat = {4, 3, 7, Special::kNanAtTop};
constexpr FloatFormat kE4m3fnuzFormat = {4, 3, 8, Special::kNanAtMinusZero};
constexpr FloatFormat kE5m2Format = {5, 2, 15, Special::kInfinityAndNan};
constexpr FloatFormat kE5m2fnuzFormat = {5, 2, 16, Special::kNanAtMinusZero};
constexpr FloatFormat kE2m1Format = {2, 1, 1, Special::kNone};

constexpr int kPowerBias = 127;
constexpr uint8_t kPowerNan = 255;
constexpr uint8_t kLargestPower = 254;

int MagnitudeBits(const FloatFormat& format) { return format.exponent_bits + format.mantissa_bits; }

uint32_t SignBit(const FloatFormat& format) { return 1u << MagnitudeBits(format); }

// The bits of the largest finite magnitude.
uint32_t LargestFinite(const FloatFormat& format) {
  const uint32_t all_ones = SignBit(format) - 1;
  switch (format.special) {
    case Special::kInfinityAndNan:
      return all_ones - (1u << format.mantissa_bits);
    case Special::kNanAtTop:
      return all_ones - 1;
    default:
      return all_ones;
  }
}

uint32_t NanBits(const FloatFormat& format, bool negative) {
  const uint32_t sign = negative ? SignBit(format) : 0;
  switch (format.special) {
    case Special::kInfinityAndNan:
      // Quiet: the exponent and the top mantissa bit.
      return sign | (SignBit(format) - (1u << (format.mantissa_bits - 1)));
    case Special::kNanAtTop:
      return sign | (SignBit(format) - 1);
    default:
      return SignBit(format);
  }
}

uint32_t OverflowBits(const FloatFormat& format, bool negative, bool saturate) {
  const uint32_t sign = negative ? SignBit(format) : 0;
  if (saturate || format.special == Special::kNone) return sign | LargestFinite(format);
  if (format.special == Special::kInfinityAndNan) return sign | (LargestFinite(format) + 1);
  return NanBits(format, negative);
}

}  // namespace

const FloatFormat* FindFloatFormat(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return &kFloat16Format;
    case DType::kBfloat16:
      return &kBfloat16Format;
    case DType::kFloat8E4m3fn:
      return &kE4m3fnFormat;
    case DType::kFloat8E4m3fnuz:
      return &kE4m3fnuzFormat;
    case DType::kFloat8E5m2:
      return &kE5m2Format;
    case DType::kFloat8E5m2fnuz:
      return &kE5m2fnuzFormat;
    case DType::kFloat4E2m1:
      return &kE2m1Format;
    default:
      return nullptr;
  }
}

uint16_t EncodeFloat(double value, const FloatFormat& format, bool saturate) {
  const bool negative = std::signbit(value);
  if (std::isnan(value)) return static_cast<uint16_t>(NanBits(format, negative));
  const double magnitude = std::fabs(value);
  if (std::isinf(value)) {
    return static_cast<uint16_t>(OverflowBits(format, negative, saturate));
  }
  if (magnitude == 0) {
    const bool keeps_sign = format.special != Special::kNanAtMinusZero;
    return static_cast<uint16_t>(negative && keeps_sign ? SignBit(format) : 0);
  }
  const int exponent = std::max(std::ilogb(magnitude), 1 - format.bias);
  if (exponent + format.bias >= (1 << format.exponent_bits)) {
    return static_cast<uint16_t>(OverflowBits(format, negative, saturate));
  }
  // In units of the last place. A carry out of the mantissa runs into the exponent, as it should.
  const double units = std::nearbyint(std::ldexp(magnitude, format.mantissa_bits - exponent));
  const uint32_t bits = static_cast<uint32_t>(units) +
                        (static_cast<uint32_t>(exponent + format.bias - 1) << format.mantissa_bits);
  if (bits > LargestFinite(format)) {
    return static_cast<uint16_t>(OverflowBits(format, negative, saturate));
  }
  if (bits == 0 && format.special == Special::kNanAtMinusZero) return 0;
  return static_cast<uint16_t>(bits | (negative ? SignBit(format) : 0));
}

double DecodeFloat(uint16_t bits, const FloatFormat& format) {
  const bool negative = (bits & SignBit(format)) != 0;
  const uint32_t magnitude = bits & (SignBit(format) - 1);
  if (format.special == Special::kNanAtMinusZero && negative && magnitude == 0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  double value;
  if (magnitude > LargestFinite(format)) {
    const bool infinite =
        format.special == Special::kInfinityAndNan && magnitude == LargestFinite(format) + 1;
    value = infinite ? std::numeric_limits<double>::infinity()
                     : std::numeric_limits<double>::quiet_NaN();
  } else {
    const int exponent = static_cast<int>(magnitude >> format.mantissa_bits);
    const uint32_t mantissa = magnitude & ((1u << format.mantissa_bits) - 1);
    const uint32_t units = exponent == 0 ? mantissa : mantissa | (1u << format.mantissa_bits);
    value = std::ldexp(units, std::max(exponent, 1) - format.bias - format.mantissa_bits);
  }
  return negative ? -value : value;
}

uint8_t EncodePowerOfTwo(double value, PowerRounding rounding, bool saturate) {
  if (std::isnan(value)) return kPowerNan;
  if (value <= 0) return saturate ? 0 : kPowerNan;
  if (std::isinf(value)) return saturate ? kLargestPower : kPowerNan;
  int exponent = std::ilogb(value);
  const double fraction = std::ldexp(value, -exponent);
  const bool up = (rounding == PowerRounding::kUp && fraction > 1) ||
                  (rounding == PowerRounding::kNearest && fraction >= 1.5);
  exponent += up ? 1 : 0;
  if (exponent < -kPowerBias) return saturate ? 0 : kPowerNan;
  if (exponent > kLargestPower - kPowerBias) return saturate ? kLargestPower : kPowerNan;
  return static_cast<uint8_t>(exponent + kPowerBias);
}

double DecodePowerOfTwo(uint8_t bits) {
  if (bits == kPowerNan) return std::numeric_limits<double>::quiet_NaN();
  return std::ldexp(1.0, bits - kPowerBias);
}

}  // namespace inferd
