#include "engine/ops/random_fill.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Random(const std::string& op, std::vector<std::optional<Tensor>> inputs, const Tensor& y,
              Pairs attributes) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = {y},
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(RandomUniform, GivesTheSameNumbersForTheSameSeed) {
  const Pairs attributes = {{"shape", Ints{1, 2}}, {"seed", 42.0f}, {"low", -1.0f}, {"high", 1.0f}};
  CheckOpCases(
      {Random("RandomUniform", {}, Values<float>({1, 2}, {-0.250919762, 0.901428613}), attributes),
       Random("RandomUniformLike", {Values<double>({2}, {0, 0})},
              Values<double>({2}, {0.374540119, 0.950714306}), {{"seed", 42.0f}})});
}

TEST(RandomNormal, ScalesAndShifts) {
  CheckOpCases(
      {Random("RandomNormal", {}, Values<double>({2}, {10.993428306, 9.723471398}),
              {{"shape", Ints{2}},
               {"seed", 42.0f},
               {"dtype", int64_t{11}},
               {"scale", 2.0f},
               {"mean", 10.0f}}),
       Random("RandomNormalLike", {Values<std::string>({1}, {"text"})},
              Values<float>({1}, {0.496714153f}), {{"seed", 42.0f}, {"dtype", int64_t{1}}})});
}

TEST(RandomFill, RefusesTypesAndShapesItCannotFill) {
  const Tensor x = Values<int32_t>({1}, {1});
  ExpectOpError(Random("RandomNormalLike", {x}, x, {}), "dtype is int32, expected float32");
  ExpectOpError(Random("RandomUniform", {}, x, {{"shape", Ints{-1}}}), "shape");
  ExpectOpError(Random("RandomUniform", {}, x, {{"shape", Ints{1 << 30, 1 << 30, 64}}}), "shape");
  ExpectOpError(Random("RandomUniform", {}, x, {{"shape", Ints{1}}, {"dtype", int64_t{99}}}),
                "no element type");
}

}  // namespace
}  // namespace inferd::testing
