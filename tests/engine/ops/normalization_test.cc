#include "engine/ops/normalization.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;
using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Normalize(const char* op, std::vector<std::optional<Tensor>> inputs,
                 std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes)),
          .absolute_tolerance = 1e-6};
}

TEST(BatchNormalization, UsesTheGivenStatistics) {
  const Tensor x = Values<float>({1, 2, 2}, {1, 3, 5, 7});
  CheckOpCase(Normalize("BatchNormalization",
                        {x, Values<float>({2}, {1, 2}), Values<float>({2}, {0, 1}),
                         Values<float>({2}, {1, 5}), Values<float>({2}, {4, 1})},
                        {Values<float>({1, 2, 2}, {0, 1, 1, 5})}, {{"epsilon", 0.0f}}));
  ExpectOpError(Normalize("BatchNormalization",
                          {x, Values<float>({1}, {1}), Values<float>({2}, {0, 1}),
                           Values<float>({2}, {1, 5}), Values<float>({2}, {4, 1})},
                          {x}),
                "input 1 has shape [1]");
}

TEST(LayerNormalization, GivesMeansAndInverseDeviations) {
  const Tensor x = Values<float>({2, 2}, {1, 3, -2, 2});
  CheckOpCase(Normalize("LayerNormalization",
                        {x, Values<float>({2}, {1, 2}), Values<float>({2}, {0, 1})},
                        {Values<float>({2, 2}, {-1, 3, -1, 3}), Values<float>({2, 1}, {2, 0}),
                         Values<float>({2, 1}, {1, 0.5})},
                        {{"epsilon", 0.0f}}));
  ExpectOpError(Normalize("LayerNormalization", {x, Values<float>({3}, {1, 1, 1})}, {x}),
                "does not broadcast");
  ExpectOpError(Normalize("LayerNormalization", {x, x}, {x}, {{"axis", int64_t{2}}}), "axis 2");
}

TEST(RmsNormalization, DividesByTheRootMeanSquare) {
  CheckOpCase(Normalize("RMSNormalization",
                        {Values<float>({1, 2}, {3, 4}), Values<float>({2}, {1, 2})},
                        {Values<float>({1, 2}, {0.8485281, 2.2627417})}, {{"epsilon", 0.0f}}));
}

TEST(InstanceAndGroupNormalization, NormalizePlanesAndGroups) {
  const Tensor x = Values<float>({1, 2, 2}, {1, 3, 10, 30});
  CheckOpCases({Normalize("InstanceNormalization",
                          {x, Values<float>({2}, {1, 2}), Values<float>({2}, {0, 1})},
                          {Values<float>({1, 2, 2}, {-1, 1, -1, 3})}, {{"epsilon", 0.0f}}),
                Normalize("GroupNormalization",
                          {Values<float>({1, 2, 1}, {1, 3}), Values<float>({2}, {1, 2}),
                           Values<float>({2}, {0, 1})},
                          {Values<float>({1, 2, 1}, {-1, 3})},
                          {{"epsilon", 0.0f}, {"num_groups", int64_t{1}}})});
  ExpectOpError(
      Normalize("GroupNormalization", {x, Values<float>({2}, {1, 2}), Values<float>({2}, {0, 1})},
                {x}, {{"num_groups", int64_t{3}}}),
      "num_groups is 3");
}

TEST(OtherNormalizations, FollowTheirFormulas) {
  CheckOpCases(
      {Normalize("MeanVarianceNormalization", {Values<float>({2}, {1, 3})},
                 {Values<float>({2}, {-1, 1})}, {{"axes", Ints{0}}}),
       Normalize("LpNormalization", {Values<float>({2, 2}, {3, 4, 0, 0})},
                 {Values<float>({2, 2}, {0.6, 0.8, 0, 0})}),
       Normalize("LRN", {Values<float>({1, 3, 1}, {1, 2, 3})},
                 {Values<float>({1, 3, 1}, {1 / 6.0f, 2 / 15.0f, 3 / 14.0f})},
                 {{"size", int64_t{3}}, {"alpha", 3.0f}, {"beta", 1.0f}, {"bias", 1.0f}})});
}

TEST(Softmaxes, WorkAlongAnyAxis) {
  const Tensor x = Values<float>({2, 2}, {0, 1000, 0, 1000});
  CheckOpCases(
      {Normalize("Softmax", {x}, {Values<float>({2, 2}, {0, 1, 0, 1})}),
       Normalize("Softmax", {x}, {Values<float>({2, 2}, {0.5, 0.5, 0.5, 0.5})},
                 {{"axis", int64_t{0}}}),
       Normalize("LogSoftmax", {x}, {Values<float>({2, 2}, {-1000, 0, -1000, 0})}),
       Normalize("Hardmax", {Values<float>({3}, {1, 5, 5})}, {Values<float>({3}, {0, 1, 0})})});
  ExpectOpError(Normalize("Softmax", {x}, {x}, {{"axis", int64_t{-3}}}), "axis -3");
}

TEST(RepeatedParameter, RepeatsOverRowsOrCoversTheWholeInput) {
  const auto rows = RepeatedParameter("scale", Values<float>({1}, {2}), {3, 2}, 1);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(*rows, (std::vector<double>{2, 2}));
  const auto whole = RepeatedParameter("scale", Values<float>({2, 1}, {2, 3}), {2, 2}, 1);
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(*whole, (std::vector<double>{2, 2, 3, 3}));
}

}  // namespace
}  // namespace inferd::testing
