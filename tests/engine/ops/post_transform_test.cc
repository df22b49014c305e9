#include "engine/ops/post_transform.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

std::vector<double> Applied(PostTransform transform, std::vector<double> scores) {
  ApplyPostTransform(transform, absl::MakeSpan(scores));
  return scores;
}

TEST(PostTransform, FollowsTheFormulas) {
  const double e = std::exp(1.0);
  EXPECT_THAT(Applied(PostTransform::kNone, {1, 2}), ElementsAre(1, 2));
  EXPECT_THAT(Applied(PostTransform::kSoftmax, {1000, 1001}),
              ElementsAre(DoubleNear(1 / (1 + e), 1e-12), DoubleNear(e / (1 + e), 1e-12)));
  EXPECT_THAT(Applied(PostTransform::kSoftmaxZero, {0, 1, 1}),
              ElementsAre(0, DoubleNear(0.5, 1e-12), DoubleNear(0.5, 1e-12)));
  EXPECT_THAT(Applied(PostTransform::kLogistic, {0, -1000}), ElementsAre(0.5, 0));
  EXPECT_THAT(Applied(PostTransform::kProbit, {0.5, 0.975}),
              ElementsAre(DoubleNear(0, 1e-12), DoubleNear(1.959963984540054, 1e-9)));
}

TEST(PostTransform, GivesProbitAtTheEnds) {
  EXPECT_EQ(Probit(0), -INFINITY);
  EXPECT_EQ(Probit(1), INFINITY);
  EXPECT_TRUE(std::isnan(Probit(1.5)));
  EXPECT_THAT(Probit(1e-12), DoubleNear(-7.034483825, 1e-6));
}

TEST(PostTransform, RefusesUnknownNames) {
  Attributes attributes;
  attributes.Set("post_transform", std::string("SIGMOID"));
  EXPECT_FALSE(ReadPostTransform(attributes).ok());
}

}  // namespace
}  // namespace inferd
