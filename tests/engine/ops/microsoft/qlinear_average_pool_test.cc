#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Case(std::vector<std::optional<Tensor>> inputs, std::optional<Tensor> y,
            std::vector<std::pair<std::string, Attributes::Value>> attributes = {}) {
  return {.name = "QLinearAveragePool",
          .op = "QLinearAveragePool",
          .inputs = std::move(inputs),
          .outputs = {std::move(y)},
          .attributes = MakeAttributes(std::move(attributes)),
          .domain = "com.microsoft"};
}

const Tensor kOne = Values<float>({}, {1});
using Ints = std::vector<int64_t>;

TEST(QLinearAveragePool, AveragesInBothLayouts) {
  const Tensor first = Values<uint8_t>({1, 2, 2}, {2, 4, 10, 20});
  const Tensor last = Values<uint8_t>({1, 2, 2}, {2, 10, 4, 20});
  CheckOpCases({Case({first, kOne, std::nullopt, kOne}, Values<uint8_t>({1, 2, 1}, {3, 15}),
                     {{"kernel_shape", Ints{2}}}),
                Case({last, kOne, std::nullopt, kOne}, Values<uint8_t>({1, 1, 2}, {3, 15}),
                     {{"kernel_shape", Ints{2}}, {"channels_last", int64_t{1}}})});
}

TEST(QLinearAveragePool, RefusesInputsWithoutSpatialDimensions) {
  const Tensor x = Values<uint8_t>({1, 2}, {2, 4});
  for (int64_t last : {0, 1}) {
    ExpectOpError(Case({x, kOne, std::nullopt, kOne}, x,
                       {{"kernel_shape", Ints{2}}, {"channels_last", last}}),
                  "X has ");
  }
}

}  // namespace
}  // namespace inferd::testing
