#include "engine/ops/float_format.h"

#include <cmath>
#include <limits>

#include "engine/core/float16.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

uint16_t Encode(DType dtype, double value, bool saturate) {
  return EncodeFloat(value, *FindFloatFormat(dtype), saturate);
}

TEST(FloatFormat, ReadsBackEveryValueItWrites) {
  for (DType dtype : {DType::kFloat8E4m3fn, DType::kFloat8E4m3fnuz, DType::kFloat8E5m2,
                      DType::kFloat8E5m2fnuz, DType::kFloat4E2m1}) {
    const FloatFormat& format = *FindFloatFormat(dtype);
    for (int bits = 0; bits < (1 << PackedBits(dtype)); ++bits) {
      const double value = DecodeFloat(static_cast<uint16_t>(bits), format);
      if (std::isnan(value)) continue;
      EXPECT_EQ(EncodeFloat(value, format, false), bits) << DTypeName(dtype);
    }
  }
}

TEST(FloatFormat, AgreesWithTheStoredHalfTypes) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = Float16::FromBits(static_cast<uint16_t>(bits));
    const auto brain = Bfloat16::FromBits(static_cast<uint16_t>(bits));
    if (!std::isnan(static_cast<float>(half))) {
      ASSERT_EQ(Encode(DType::kFloat16, static_cast<float>(half), false), bits);
    }
    if (!std::isnan(static_cast<float>(brain))) {
      ASSERT_EQ(Encode(DType::kBfloat16, static_cast<float>(brain), false), bits);
    }
  }
}

TEST(FloatFormat, RoundsDoublesOnce) {
  // Just above the middle of 1 and the next float16: through float32 it would round down.
  EXPECT_EQ(Encode(DType::kFloat16, 1 + 0x1p-11 + 0x1p-40, false), 0x3c01);
  EXPECT_EQ(Encode(DType::kFloat16, 1 + 0x1p-11, false), 0x3c00);
}

TEST(FloatFormat, SaturatesOrOverflows) {
  EXPECT_EQ(Encode(DType::kFloat8E4m3fn, 1e6, true), 0x7e);
  EXPECT_EQ(Encode(DType::kFloat8E4m3fn, -kInfinity, true), 0xfe);
  EXPECT_EQ(Encode(DType::kFloat8E4m3fn, 1e6, false), 0x7f);
  EXPECT_EQ(Encode(DType::kFloat8E5m2, kInfinity, false), 0x7c);
  EXPECT_EQ(Encode(DType::kFloat8E5m2, 1e6, true), 0x7b);
  EXPECT_EQ(Encode(DType::kFloat8E4m3fnuz, 1e6, false), 0x80);
  EXPECT_EQ(Encode(DType::kFloat8E4m3fnuz, -0.0, true), 0);
  EXPECT_EQ(Encode(DType::kFloat4E2m1, 100, false), 7);
}

TEST(FloatFormat, RoundsPowersOfTwoAsAsked) {
  EXPECT_EQ(EncodePowerOfTwo(1.1, PowerRounding::kUp, true), 128);
  EXPECT_EQ(EncodePowerOfTwo(1.9, PowerRounding::kDown, true), 127);
  EXPECT_EQ(EncodePowerOfTwo(1.5, PowerRounding::kNearest, true), 128);
  EXPECT_EQ(EncodePowerOfTwo(0, PowerRounding::kUp, true), 0);
  EXPECT_EQ(EncodePowerOfTwo(kInfinity, PowerRounding::kUp, true), 254);
  EXPECT_EQ(EncodePowerOfTwo(kInfinity, PowerRounding::kUp, false), 255);
  EXPECT_EQ(DecodePowerOfTwo(127), 1);
}

}  // namespace
}  // namespace inferd
