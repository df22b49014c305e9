#include "engine/ops/scaled_dot_product.h"

#include <limits>

#include "gtest/gtest.h"

namespace inferd {
namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

// One query that likes all three keys equally.
AttentionHead<float> EqualKeys() {
  return {.rows = 1, .keys = 3, .depth = 1, .width = 1, .q = {0}, .k = {5, 6, 7}, .v = {3, 6, 9}};
}

TEST(ScaledDotProduct, AveragesTheValuesThatTheBiasLeaves) {
  EXPECT_FLOAT_EQ(RunAttentionHead(EqualKeys(), {})[0], 6);
  AttentionHead<float> head = EqualKeys();
  head.bias = {0, kHidden, 0};
  EXPECT_FLOAT_EQ(RunAttentionHead(head, {})[0], 6);
  head.bias = {kHidden, 0, kHidden};
  EXPECT_FLOAT_EQ(RunAttentionHead(head, {})[0], 6);
  head.bias = {kHidden, kHidden, kHidden};
  EXPECT_FLOAT_EQ(RunAttentionHead(head, {})[0], 0);
  head.bias.clear();
  head.sink = 0.0f;
  EXPECT_FLOAT_EQ(RunAttentionHead(head, {})[0], 18.0f / 4);
}

TEST(ScaledDotProduct, HandsOutTheScoresOfEachStage) {
  AttentionHead<float> head = EqualKeys();
  head.q = {2};
  head.bias = {1, 0, kHidden};
  float scores[3];
  const auto second = [&](ScoreStage stage) {
    RunAttentionHead(head, {.scale = 0.5, .softcap = 3, .stage = stage}, scores);
    return scores[1];
  };
  EXPECT_FLOAT_EQ(second(ScoreStage::kProduct), 6);
  EXPECT_FLOAT_EQ(second(ScoreStage::kSoftcap), 2.8920827f);
  EXPECT_FLOAT_EQ(scores[0], 2.7933288f);
  EXPECT_FLOAT_EQ(second(ScoreStage::kBias), 2.8920827f);
  EXPECT_FLOAT_EQ(scores[0], 3.7933288f);
  EXPECT_FLOAT_EQ(second(ScoreStage::kSoftmax), 0.28879449f);
  EXPECT_EQ(scores[2], 0);
}

TEST(ScaledDotProduct, TakesTheSoftmaxInAnotherType) {
  AttentionHead<Bfloat16> head{
      .rows = 1, .keys = 2, .depth = 1, .width = 1, .q = {1}, .k = {1, 0}, .v = {1, 0}};
  EXPECT_EQ(static_cast<float>(RunAttentionHead(head, {})[0]), 0.73046875f);
  const std::vector<Bfloat16> wide = RunAttentionHead(head, {.softmax_type = DType::kFloat32});
  EXPECT_EQ(static_cast<float>(wide[0]), 0.73046875f);
}

TEST(ScaledDotProduct, LimitsTheScores) {
  EXPECT_TRUE(CheckScoreBytes(4, 4, 128).ok());
  EXPECT_FALSE(CheckScoreBytes(4, 5, 128).ok());
  EXPECT_FALSE(CheckScoreBytes(int64_t{1} << 40, int64_t{1} << 40, int64_t{1} << 33).ok());
  EXPECT_TRUE(CheckScoreBytes(1, 0, 0).ok());
}

}  // namespace
}  // namespace inferd
