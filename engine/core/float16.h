#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace inferd {

// IEEE 754 binary16, stored only: arithmetic goes through float. Rounds to nearest even.
struct Float16 {
  uint16_t bits = 0;

  Float16() = default;
  Float16(float value) : bits(FromFloat(value)) {}  // NOLINT: converts like a number
  operator float() const { return ToFloat(bits); }  // NOLINT

  static Float16 FromBits(uint16_t bits) {
    Float16 result;
    result.bits = bits;
    return result;
  }

  static uint16_t FromFloat(float value) {
    const uint32_t u = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (u >> 16) & 0x8000u;
    const uint32_t magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);
    if (magnitude < 0x38800000u) {
      // Adding 0.5 puts the subnormal's bits, rounded to nearest even, at the bottom.
      const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
      return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
    }
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
  }

  static float ToFloat(uint16_t half) {
    const uint32_t sign = (half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1fu;
    const uint32_t mantissa = half & 0x3ffu;
    if (exponent == 0) {
      const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
      return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
};

// bfloat16: the upper half of a binary32, stored only. Rounds to nearest even; NaN stays NaN.
struct Bfloat16 {
  uint16_t bits = 0;

  Bfloat16() = default;
  Bfloat16(float value) : bits(FromFloat(value)) {}  // NOLINT
  operator float() const { return ToFloat(bits); }   // NOLINT

  static Bfloat16 FromBits(uint16_t bits) {
    Bfloat16 result;
    result.bits = bits;
    return result;
  }

  static uint16_t FromFloat(float value) {
    const uint32_t u = std::bit_cast<uint32_t>(value);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((u >> 16) | 0x40u);
    return static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  static float ToFloat(uint16_t bits) {
    return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  }
};

}  // namespace inferd
