#include "engine/ops/arithmetic.h"

#include <limits>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();

TEST(Arithmetic, DefinesDivisionForEveryInteger) {
  EXPECT_EQ(Divide<int32_t>(7, -2), -3);
  EXPECT_EQ(Divide<int32_t>(7, 0), 0);
  EXPECT_EQ(Divide<int32_t>(kLeast, -1), kLeast);
  EXPECT_EQ(TruncatedRemainder<int32_t>(kLeast, -1), 0);
  EXPECT_EQ(TruncatedRemainder<int64_t>(5, 0), 0);
}

TEST(Arithmetic, WrapsAroundInNarrowTypes) {
  EXPECT_EQ(WrappingMultiply<uint16_t>(65535, 65535), 1);
  EXPECT_EQ(WrappingAdd<int8_t>(127, 1), -128);
  EXPECT_EQ(WrappingSubtract<uint64_t>(0, 1), std::numeric_limits<uint64_t>::max());
}

TEST(Arithmetic, GivesRemaindersTheSignAskedFor) {
  EXPECT_EQ(FlooredRemainder<int32_t>(-4, 3), 2);
  EXPECT_EQ(FlooredRemainder<int32_t>(4, -3), -2);
  EXPECT_EQ(TruncatedRemainder<int32_t>(-4, 3), -1);
  EXPECT_FLOAT_EQ(FlooredRemainder<float>(-4.5f, 3.0f), 1.5f);
  EXPECT_FLOAT_EQ(TruncatedRemainder<float>(-4.5f, 3.0f), -1.5f);
}

TEST(Arithmetic, RaisesIntegersToNegativePowers) {
  EXPECT_EQ(IntegerPower<int32_t>(2, -1), 0);
  EXPECT_EQ(IntegerPower<int32_t>(-1, -3), -1);
  EXPECT_EQ(IntegerPower<int32_t>(0, -3), 0);
  EXPECT_EQ(IntegerPower<int64_t>(3, 39), 4052555153018976267);
}

TEST(Arithmetic, SaturatesToIntegers) {
  EXPECT_EQ(SaturateToInteger<int32_t>(1e20), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(SaturateToInteger<int64_t>(-1e20), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(SaturateToInteger<uint8_t>(-3), 0);
  EXPECT_EQ(SaturateToInteger<int32_t>(std::numeric_limits<double>::quiet_NaN()), 0);
}

TEST(Arithmetic, OrdersNanAboveEverything) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(OrderedLess(1.0f, nan));
  EXPECT_FALSE(OrderedLess(nan, 1.0f));
  EXPECT_FALSE(OrderedLess(nan, nan));
  EXPECT_TRUE(OrderedLess(std::string("a"), std::string("b")));
}

TEST(Arithmetic, MixesTypesInPow) {
  CheckOpCases({{.name = "integer base, float exponent",
                 .op = "Pow",
                 .inputs = {Values<int32_t>({3}, {1, 2, 3}), Values<float>({3}, {4, 5, 0.5f})},
                 .outputs = {Values<int32_t>({3}, {1, 32, 1})}},
                {.name = "float base, integer exponent",
                 .op = "Pow",
                 .inputs = {Values<float>({2}, {1.5f, 2}), Values<int64_t>({}, {-2})},
                 .outputs = {Values<float>({2}, {0.44444445f, 0.25f})}}});
}

TEST(Arithmetic, ShiftsEveryAmount) {
  const auto shift = [](const char* direction, std::initializer_list<int8_t> expected) {
    CheckOpCase(
        {.name = direction,
         .op = "BitShift",
         .inputs = {Values<int8_t>({4}, {-8, -8, 8, -8}), Values<int8_t>({4}, {1, 9, 9, -1})},
         .outputs = {Values<int8_t>({4}, expected)},
         .attributes = MakeAttributes({{"direction", std::string(direction)}})});
  };
  shift("RIGHT", {-4, -1, 0, -1});
  shift("LEFT", {-16, 0, 0, 0});
}

}  // namespace
}  // namespace inferd::testing
