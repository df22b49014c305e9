#include "engine/ops/pooling.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using ::testing::ElementsAre;
using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

const Tensor Plane() { return Values<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}); }

OpCase Pool(const char* op, const Tensor& x, std::vector<std::optional<Tensor>> outputs,
            Pairs attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = {x},
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(MaxPool, TakesTheLargestOfEachWindow) {
  CheckOpCases({Pool("MaxPool", Plane(), {Values<float>({1, 1, 2, 2}, {5, 6, 8, 9})},
                     {{"kernel_shape", Ints{2, 2}}}),
                Pool("MaxPool", ValuesAs(DType::kInt8, {1, 1, 3}, {-5, -7, -9}),
                     {ValuesAs(DType::kInt8, {1, 1, 3}, {-5, -5, -7})},
                     {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 0}}})});
}

TEST(MaxPool, GivesIndicesInEitherStorageOrder) {
  const Tensor y = Values<float>({1, 1, 2, 2}, {5, 6, 8, 9});
  CheckOpCases({Pool("MaxPool", Plane(), {y, Values<int64_t>({1, 1, 2, 2}, {4, 5, 7, 8})},
                     {{"kernel_shape", Ints{2, 2}}}),
                Pool("MaxPool", Plane(), {y, Values<int64_t>({1, 1, 2, 2}, {4, 7, 5, 8})},
                     {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t{1}}})});
}

TEST(AveragePool, CountsPaddingOnlyWhenAsked) {
  const Tensor x = Values<float>({1, 1, 2}, {2, 4});
  const Pairs pads = {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}};
  Pairs counted = pads;
  counted.push_back({"count_include_pad", int64_t{1}});
  CheckOpCases({Pool("AveragePool", x, {Values<float>({1, 1, 3}, {2, 3, 4})}, pads),
                Pool("AveragePool", x, {Values<float>({1, 1, 3}, {1, 3, 2})}, counted)});
}

TEST(LpPool, TakesTheNormOfEachWindow) {
  CheckOpCase(Pool("LpPool", Values<float>({1, 1, 2}, {3, -4}), {Values<float>({1, 1, 1}, {5})},
                   {{"kernel_shape", Ints{2}}}));
}

TEST(GlobalPools, ReduceEveryPlane) {
  const Tensor x = Values<float>({1, 2, 2}, {3, -4, 1, 2});
  CheckOpCases({Pool("GlobalAveragePool", x, {Values<float>({1, 2, 1}, {-0.5, 1.5})}),
                Pool("GlobalMaxPool", x, {Values<float>({1, 2, 1}, {3, 2})}),
                Pool("GlobalLpPool", x, {Values<float>({1, 2, 1}, {7, 3})}, {{"p", int64_t{1}}})});
}

TEST(Pools, RefuseBadAttributesAndRanks) {
  ExpectOpError(Pool("MaxPool", Plane(), {Plane()}, {{"kernel_shape", Ints{2}}}), "kernel_shape");
  ExpectOpError(Pool("MaxPool", Plane(), {Plane()}, {{"kernel_shape", Ints{4, 4}}}),
                "does not fit");
  ExpectOpError(
      Pool("MaxPool", Values<float>({2, 2}, {1, 2, 3, 4}), {Plane()}, {{"kernel_shape", Ints{}}}),
      "rank 2");
  ExpectOpError(
      Pool("LpPool", Plane(), {Plane()}, {{"kernel_shape", Ints{1, 1}}, {"p", int64_t{0}}}),
      "p is 0");
}

TEST(TapCounts, MultiplyOverDimensions) {
  const auto window = ResolvePool(
      MakeAttributes({{"kernel_shape", Ints{2, 2}}, {"pads", Ints{1, 0, 0, 0}}}), {1, 1, 2, 2});
  EXPECT_THAT(TapCounts(*window, false), ElementsAre(2, 4));
  EXPECT_THAT(TapCounts(*window, true), ElementsAre(4, 4));
}

}  // namespace
}  // namespace inferd::testing
