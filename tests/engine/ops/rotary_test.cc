#include "engine/ops/rotary.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

TEST(RotaryEmbedding, RotatesHalvesOrNeighbours) {
  const auto rotary = [](const Tensor& x, const Tensor& y, Pairs attributes,
                         std::initializer_list<int64_t> positions) {
    return OpCase{
        .name = "RotaryEmbedding",
        .op = "RotaryEmbedding",
        .inputs = {x, Values<float>({2, 2}, {9, 9, 0, 1}), Values<float>({2, 2}, {9, 9, 1, 0}),
                   Values<int64_t>({1, 1}, positions)},
        .outputs = {y},
        .attributes = MakeAttributes(std::move(attributes))};
  };
  const Tensor x = Values<float>({1, 1, 1, 4}, {1, 2, 3, 4});
  CheckOpCases(
      {rotary(x, Values<float>({1, 1, 1, 4}, {-3, 2, 1, 4}), {}, {1}),
       rotary(x, Values<float>({1, 1, 1, 4}, {-2, 1, 3, 4}), {{"interleaved", int64_t{1}}}, {1})});
  ExpectOpError(rotary(x, x, {}, {2}), "position_ids has 2");
}

TEST(MicrosoftRotaryEmbedding, CountsOnFromOnePosition) {
  const auto rotary = [](std::initializer_list<int64_t> first, Pairs attributes) {
    return OpCase{.name = "RotaryEmbedding",
                  .op = "RotaryEmbedding",
                  .inputs = {Values<float>({1, 2, 2}, {1, 2, 3, 4}), Values<int64_t>({1}, first),
                             Values<float>({3, 1}, {1, 0, -1}), Values<float>({3, 1}, {0, 1, 0})},
                  .outputs = {Values<float>({1, 2, 2}, {-2, 1, -3, -4})},
                  .attributes = MakeAttributes(std::move(attributes)),
                  .domain = "com.microsoft"};
  };
  CheckOpCase(rotary({1}, {}));
  ExpectOpError(rotary({2}, {}), "position_ids has 3");
  ExpectOpError(rotary({-1}, {}), "position_ids has -1");
  ExpectOpError(rotary({1}, {{"num_heads", int64_t{2}}}), "cannot rotate 1 features");
  ExpectOpError(rotary({1}, {{"scale", 2.0f}}), "attribute scale is 2");
}

}  // namespace
}  // namespace inferd::testing
