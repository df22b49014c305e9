#include "engine/core/float16.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace inferd {
namespace {

// The nearest half by search over all of them, ties to the even one: slow and obviously right.
uint16_t NearestHalf(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double wanted = std::fabs(static_cast<double>(value));
  int low = 0;
  int high = 0x7c00;  // infinity stands for 65536, what would follow 65504
  const auto at = [](int bits) {
    return bits == 0x7c00 ? 65536.0 : static_cast<double>(Float16::ToFloat(bits));
  };
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (at(middle) <= wanted ? low : high) = middle;
  }
  if (wanted >= 65536.0) return sign | 0x7c00;
  const double below = wanted - at(low);
  const double above = at(high) - wanted;
  const bool up = above < below || (above == below && high % 2 == 0);
  return sign | static_cast<uint16_t>(up ? high : low);
}

TEST(Float16, EveryBitPatternSurvivesTheWayThroughFloat) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float value = Float16::ToFloat(bits);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Float16::ToFloat(Float16::FromFloat(value)))) << bits;
    } else {
      EXPECT_EQ(Float16::FromFloat(value), bits);
    }
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  uint32_t state = 1;
  for (int i = 0; i < 200000; ++i) {
    state = state * 1664525u + 1013904223u;
    // Exponents from below the smallest subnormal to above the largest finite value.
    const uint32_t exponent = 100 + (state >> 8) % 46;
    const uint32_t bits = (state & 0x80000000u) | (exponent << 23) | ((state * 2654435761u) >> 9);
    const float value = std::bit_cast<float>(bits);
    ASSERT_EQ(Float16::FromFloat(value), NearestHalf(value)) << value;
  }
}

TEST(Float16, MidpointsBetweenNeighboursGoToTheEvenOne) {
  for (int bits = 0; bits < 0x7bff; ++bits) {
    const float middle = (Float16::ToFloat(bits) + Float16::ToFloat(bits + 1)) / 2;
    ASSERT_EQ(Float16::FromFloat(middle), bits % 2 == 0 ? bits : bits + 1);
    ASSERT_EQ(Float16::FromFloat(-middle), 0x8000 | (bits % 2 == 0 ? bits : bits + 1));
  }
}

TEST(Float16, OverflowGoesToInfinityAtTheMidpointAfterTheLargest) {
  EXPECT_EQ(Float16::FromFloat(65519.996f), 0x7bff);
  EXPECT_EQ(Float16::FromFloat(65520.0f), 0x7c00);
  EXPECT_EQ(Float16::FromFloat(std::numeric_limits<float>::infinity()), 0x7c00);
  EXPECT_EQ(Float16::FromFloat(-std::numeric_limits<float>::infinity()), 0xfc00);
}

TEST(Bfloat16, EveryBitPatternSurvivesTheWayThroughFloat) {
  for (int bits = 0; bits < 0x10000; ++bits) {
    const float value = Bfloat16::ToFloat(bits);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(Bfloat16::ToFloat(Bfloat16::FromFloat(value)))) << bits;
    } else {
      EXPECT_EQ(Bfloat16::FromFloat(value), bits);
    }
  }
}

TEST(Bfloat16, RoundsTiesToEvenAndKeepsNaNs) {
  EXPECT_EQ(Bfloat16::FromFloat(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(Bfloat16::FromFloat(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(Bfloat16::FromFloat(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(Bfloat16::FromFloat(std::numeric_limits<float>::max()), 0x7f80);
  // A NaN whose upper half alone would read as infinity.
  EXPECT_TRUE(std::isnan(Bfloat16(std::bit_cast<float>(0x7f800001u))));
}

}  // namespace
}  // namespace inferd
