#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Drawn(std::vector<std::optional<Tensor>> inputs, const Tensor& y, Pairs attributes) {
  return {.name = "Bernoulli",
          .op = "Bernoulli",
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

TEST(Bernoulli, DrawsOnesAsOftenAsAsked) {
  const auto run =
      RunPortableKernel(Drawn({Repeated<float>({10000}, 0.3f)}, Repeated<int8_t>({10000}, 0),
                              {{"dtype", int64_t{3}}, {"seed", 5.0f}}));
  ASSERT_TRUE(run.ok()) << run.status();
  int ones = 0;
  for (int8_t value : (*run)[0].values<int8_t>()) ones += value;
  EXPECT_NEAR(ones, 3000, 150);
  CheckOpCase(Drawn({Values<double>({2}, {0, 1})}, Values<bool>({2}, {false, true}),
                    {{"dtype", int64_t{9}}}));
}

TEST(Bernoulli, RefusesWhatIsNoProbability) {
  const Tensor x = Values<float>({1}, {1.5f});
  ExpectOpError(Drawn({x}, x, {}), "input has 1.5");
  const Tensor nan = Values<float>({1}, {std::nanf("")});
  ExpectOpError(Drawn({nan}, x, {}), "input has nan");
}

}  // namespace
}  // namespace inferd::testing
