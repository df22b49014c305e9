#include <cmath>
#include <map>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Drawn(std::vector<std::optional<Tensor>> inputs, const Tensor& y, Pairs attributes) {
  return {.name = "Multinomial",
          .op = "Multinomial",
          .inputs = std::move(inputs),
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

template <typename T>
Tensor Repeated(const Shape& shape, T value) {
  Tensor tensor = Tensor::Allocate(DTypeOf<T>(), shape).value();
  std::fill_n(tensor.mutable_data<T>(), tensor.num_elements(), value);
  return tensor;
}

TEST(Multinomial, DrawsClassesByTheirProbability) {
  const Tensor logarithms =
      Values<float>({2, 3}, {std::log(1.0f), std::log(3.0f), -INFINITY, 1000, -1000, -1000});
  const auto run = RunPortableKernel(
      Drawn({logarithms}, Repeated<int64_t>({2, 8000}, 0),
            {{"dtype", int64_t{7}}, {"sample_size", int64_t{8000}}, {"seed", 1.0f}}));
  ASSERT_TRUE(run.ok()) << run.status();
  std::map<int64_t, int> counts[2];
  for (int i = 0; i < 16000; ++i) ++counts[i / 8000][(*run)[0].data<int64_t>()[i]];
  EXPECT_NEAR(counts[0][0], 2000, 150);
  EXPECT_EQ(counts[0][0] + counts[0][1], 8000);
  EXPECT_EQ(counts[1][0], 8000);
}

TEST(Multinomial, RefusesRowsWithoutProbability) {
  const Tensor y = Values<int32_t>({1, 1}, {0});
  ExpectOpError(Drawn({Values<float>({1, 1}, {-INFINITY})}, y, {}), "finite sum");
  ExpectOpError(Drawn({Values<float>({1, 0}, {})}, y, {}), "[batch,classes]");
  ExpectOpError(Drawn({Values<float>({1, 1}, {0})}, y, {{"sample_size", int64_t{0}}}),
                "sample_size is 0");
}

}  // namespace
}  // namespace inferd::testing
