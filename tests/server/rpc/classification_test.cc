#include "server/rpc/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace inferd {
namespace {

using ::testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<std::string> TopOf(const Tensor& scores, int64_t count, bool has_rows = false,
                               const std::vector<std::string>& labels = {}) {
  const Tensor classes = Classify(scores, count, has_rows, labels).value();
  const auto values = classes.values<std::string>();
  return {values.begin(), values.end()};
}

template <typename T>
std::vector<std::string> TopTwo(std::initializer_list<T> scores) {
  return TopOf(Tensor::FromValues<T>(Shape({static_cast<int64_t>(scores.size())}), scores), 2);
}

TEST(Classification, TheGreatestScoresComeFirst) {
  EXPECT_THAT(TopTwo<float>({0.25f, 3, -1, 0.1f}), ElementsAre("3:1", "0.25:0"));
}

TEST(Classification, EqualScoresComeByIndex) {
  EXPECT_THAT(TopTwo<int32_t>({5, 7, 7, 7}), ElementsAre("7:1", "7:2"));
}

TEST(Classification, NanComesAfterAllNumbers) {
  const Tensor scores = Tensor::FromValues<float>(Shape({4}), {kNan, -kInfinity, kNan, 1});
  EXPECT_THAT(TopOf(scores, 4), ElementsAre("1:3", "-inf:1", "nan:0", "nan:2"));
}

TEST(Classification, LabelsStandBesideTheIndicesThatHaveOne) {
  const Tensor scores = Tensor::FromValues<float>(Shape({3}), {1, 2, 3});
  EXPECT_THAT(TopOf(scores, 3, false, {"a", "b:c"}), ElementsAre("3:2", "2:1:b:c", "1:0:a"));
}

TEST(Classification, RowsAreClassifiedOneByOne) {
  const Tensor scores = Tensor::FromValues<float>(Shape({2, 1, 2}), {1, 2, 4, 3});
  EXPECT_THAT(TopOf(scores, 1, true), ElementsAre("2:1", "4:0"));
  EXPECT_EQ(Classify(scores, 1, true, {})->shape(), Shape({2, 1}));
  EXPECT_THAT(TopOf(scores, 1, false), ElementsAre("4:2"));
  EXPECT_EQ(Classify(scores, 1, false, {})->shape(), Shape({1}));
}

TEST(Classification, NoMoreClassesComeThanThereAre) {
  const Tensor scores = Tensor::FromValues<float>(Shape({2, 2}), {1, 2, 4, 3});
  EXPECT_EQ(Classify(scores, 99, true, {})->shape(), Shape({2, 2}));
  const Tensor none = Tensor::Allocate(DType::kFloat32, Shape({0, 3})).value();
  EXPECT_EQ(Classify(none, 2, true, {})->shape(), Shape({0, 0}));
  EXPECT_EQ(Classify(Tensor::Scalar<float>(1), 2, true, {})->shape(), Shape({1}));
}

TEST(Classification, TakesEveryTypeOfNumber) {
  EXPECT_THAT(TopTwo<bool>({false, true}), ElementsAre("1:1", "0:0"));
  EXPECT_THAT(TopTwo<uint8_t>({1, 255}), ElementsAre("255:1", "1:0"));
  EXPECT_THAT(TopTwo<int8_t>({-128, 127}), ElementsAre("127:1", "-128:0"));
  EXPECT_THAT(TopTwo<uint64_t>({1, ~uint64_t{0}}), ElementsAre("18446744073709551615:1", "1:0"));
  EXPECT_THAT(TopTwo<int64_t>({INT64_MIN, INT64_MAX}),
              ElementsAre("9223372036854775807:1", "-9223372036854775808:0"));
  EXPECT_THAT(TopTwo<double>({1e-300, 0.1}), ElementsAre("0.1:1", "1e-300:0"));
  EXPECT_THAT(TopTwo<Float16>({Float16(0.5f), Float16(2)}), ElementsAre("2:1", "0.5:0"));
  EXPECT_THAT(TopTwo<Bfloat16>({Bfloat16(0.5f), Bfloat16(2)}), ElementsAre("2:1", "0.5:0"));
  EXPECT_FALSE(IsClassifiable(DType::kString));
}

TEST(Classification, ValuesReadBackExactly) {
  const float value = 0.1f + 0.2f;
  const std::string text = TopOf(Tensor::FromValues<float>(Shape({1}), {value}), 1)[0];
  EXPECT_EQ(std::stof(text), value);
}

}  // namespace
}  // namespace inferd
