#include "server/commands/value_compare.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace inferd {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

absl::Status Compare(const Tensor& got, const Tensor& expected) {
  return CompareValues(got, expected, Tolerance());
}
Tensor Floats(std::initializer_list<float> values) {
  return Tensor::FromValues<float>(Shape{static_cast<int64_t>(values.size())}, values);
}
void ExpectDifferent(const Tensor& got, const Tensor& expected, const std::string& part) {
  const absl::Status status = Compare(got, expected);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find(part), absl::string_view::npos) << status;
}

TEST(ValueCompare, AllowsTheTolerance) {
  EXPECT_TRUE(Compare(Floats({1.0005f, kNan, kInfinity}), Floats({1, kNan, kInfinity})).ok());
  ExpectDifferent(Floats({1, 2.5f}), Floats({1, 2}),
                  "1 of 2 elements of float32[2] differ, by up to 0.5; element 1: expected 2, got "
                  "2.5");
}

TEST(ValueCompare, KeepsNanAndInfinityApart) {
  ExpectDifferent(Floats({kNan}), Floats({1}), "differ");
  ExpectDifferent(Floats({1}), Floats({kInfinity}), "differ");
  ExpectDifferent(Floats({-kInfinity}), Floats({kInfinity}), "differ");
}

TEST(ValueCompare, ComparesTypesAndShapesExactly) {
  ExpectDifferent(Floats({1}), Tensor::FromValues<double>(Shape{1}, {1}),
                  "expected float64[1], got float32[1]");
  ExpectDifferent(Floats({1}), Tensor::Scalar<float>(1), "expected float32[], got float32[1]");
}

TEST(ValueCompare, ComparesStringsExactly) {
  const Tensor a = Tensor::FromValues<std::string>(Shape{1}, {"a"});
  const Tensor b = Tensor::FromValues<std::string>(Shape{1}, {"b"});
  EXPECT_TRUE(Compare(a, a).ok());
  ExpectDifferent(a, b, "expected \"b\", got \"a\"");
}

TEST(ValueCompare, GoesIntoSequencesOptionalsAndMaps) {
  const Tensor one = Tensor::Sequence({Floats({1}), Floats({2})});
  EXPECT_TRUE(Compare(one, one).ok());
  ExpectDifferent(one, Tensor::Sequence({Floats({1})}), "expected sequence of 1");
  ExpectDifferent(one, Tensor::Sequence({Floats({1}), Floats({3})}), "part 1");
  ExpectDifferent(Tensor::Optional({}), Tensor::Optional({Floats({1})}), "got empty optional");
  ExpectDifferent(one, Floats({1}), "got sequence of 2");
  const Tensor map = Tensor::Map(Floats({1}), Floats({2}));
  EXPECT_TRUE(Compare(map, map).ok());
}

}  // namespace
}  // namespace inferd
