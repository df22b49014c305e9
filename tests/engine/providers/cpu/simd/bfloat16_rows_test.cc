#include "engine/providers/cpu/simd/bfloat16_rows.h"

#include <cmath>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

TEST(Bfloat16Rows, RoundAsSingleNumbersDoAtEveryLength) {
  for (int64_t count = 0; count < 70; ++count) {
    const Tensor x = RandomFloats({count + 1}, -1000.0f, 1000.0f);
    std::vector<Bfloat16> y(count + 1, Bfloat16::FromBits(0x5555));
    RoundToBfloat16(x.data<float>(), y.data(), count);
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(y[i].bits, Bfloat16(x.data<float>()[i]).bits) << i << " of " << count;
    }
    EXPECT_EQ(y[count].bits, 0x5555) << "written past the end";
  }
}

TEST(Bfloat16Rows, RoundHalvesToEvenAndKeepWhatIsNoNumber) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<float> x = {1.00390625f, 1.01171875f, kInf, -kInf, NAN, 0.0f, -0.0f, 3.4e38f};
  x.resize(40, 1.0f);  // longer than any vector
  std::vector<Bfloat16> y(x.size());
  RoundToBfloat16(x.data(), y.data(), static_cast<int64_t>(x.size()));
  EXPECT_EQ(static_cast<float>(y[0]), 1.0f);
  EXPECT_EQ(static_cast<float>(y[1]), 1.015625f);
  EXPECT_EQ(static_cast<float>(y[2]), kInf);
  EXPECT_EQ(static_cast<float>(y[3]), -kInf);
  EXPECT_TRUE(std::isnan(static_cast<float>(y[4])));
  EXPECT_EQ(y[5].bits, 0);
  EXPECT_EQ(y[6].bits, 0x8000);
  EXPECT_EQ(y[7].bits, Bfloat16(3.4e38f).bits);
}

TEST(Bfloat16Rows, WidenExactlyAtEveryLength) {
  for (int64_t count = 0; count < 70; ++count) {
    std::vector<Bfloat16> x(count);
    for (int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(i) * 1.5f - 20.0f;
    std::vector<float> y(count + 1, 7.0f);
    WidenBfloat16(x.data(), y.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_EQ(y[i], static_cast<float>(x[i]));
    EXPECT_EQ(y[count], 7.0f);
  }
}

}  // namespace
}  // namespace inferd::cpu
