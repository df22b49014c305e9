#include "engine/ops/tree_ensemble.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;

// One stump: feature 0 <= 0.5 goes to leaf 1 (weight 10), else to leaf 2 (weight 20).
Attributes Stump() {
  return MakeAttributes({{"nodes_treeids", Ints{0, 0, 0}},
                         {"nodes_nodeids", Ints{0, 1, 2}},
                         {"nodes_featureids", Ints{0, 0, 0}},
                         {"nodes_modes", Strings{"BRANCH_LEQ", "LEAF", "LEAF"}},
                         {"nodes_values", Floats{0.5, 0, 0}},
                         {"nodes_truenodeids", Ints{1, 0, 0}},
                         {"nodes_falsenodeids", Ints{2, 0, 0}},
                         {"target_treeids", Ints{0, 0}},
                         {"target_nodeids", Ints{1, 2}},
                         {"target_ids", Ints{0, 0}},
                         {"target_weights", Floats{10, 20}}});
}

std::vector<float> Evaluate(const Attributes& attributes, std::vector<float> rows) {
  const auto ensemble = TreeEnsemble::FromRegressor(attributes);
  EXPECT_TRUE(ensemble.ok()) << ensemble.status();
  if (!ensemble.ok()) return {};
  std::vector<float> scores(rows.size());
  EvaluateTargets(*ensemble, rows.data(), static_cast<int64_t>(rows.size()), 1, scores.data());
  return scores;
}

std::string ErrorOf(const Attributes& attributes) {
  return std::string(TreeEnsemble::FromRegressor(attributes).status().message());
}

TEST(TreeEnsemble, FollowsEveryMode) {
  const float nan = std::nanf("");
  const struct {
    const char* mode;
    std::vector<float> expected;  // of 0, 0.5, 1, NaN
  } modes[] = {{"BRANCH_LEQ", {10, 10, 20, 20}}, {"BRANCH_LT", {10, 20, 20, 20}},
               {"BRANCH_GTE", {20, 10, 10, 20}}, {"BRANCH_GT", {20, 20, 10, 20}},
               {"BRANCH_EQ", {20, 10, 20, 20}},  {"BRANCH_NEQ", {10, 20, 10, 10}}};
  for (const auto& mode : modes) {
    Attributes attributes = Stump();
    attributes.Set("nodes_modes", Strings{mode.mode, "LEAF", "LEAF"});
    EXPECT_EQ(Evaluate(attributes, {0, 0.5, 1, nan}), mode.expected) << mode.mode;
  }
}

TEST(TreeEnsemble, SendsMissingValuesWhereTheNodeSays) {
  Attributes attributes = Stump();
  attributes.Set("nodes_missing_value_tracks_true", Ints{1, 0, 0});
  EXPECT_THAT(Evaluate(attributes, {std::nanf(""), 1}), ElementsAre(10, 20));
}

TEST(TreeEnsemble, AggregatesAndAddsBaseValues) {
  for (const auto& [function, expected] : std::vector<std::pair<std::string, float>>{
           {"SUM", 31}, {"AVERAGE", 16}, {"MIN", 11}, {"MAX", 21}}) {
    Attributes attributes = MakeAttributes({{"nodes_treeids", Ints{0, 1}},
                                            {"nodes_nodeids", Ints{0, 0}},
                                            {"nodes_featureids", Ints{0, 0}},
                                            {"nodes_modes", Strings{"LEAF", "LEAF"}},
                                            {"nodes_values", Floats{0, 0}},
                                            {"nodes_truenodeids", Ints{0, 0}},
                                            {"nodes_falsenodeids", Ints{0, 0}},
                                            {"target_treeids", Ints{0, 1}},
                                            {"target_nodeids", Ints{0, 0}},
                                            {"target_ids", Ints{0, 0}},
                                            {"target_weights", Floats{10, 20}},
                                            {"base_values", Floats{1}},
                                            {"aggregate_function", function}});
    EXPECT_THAT(Evaluate(attributes, {0}), ElementsAre(expected)) << function;
  }
}

TEST(TreeEnsemble, ComparesDoublesExactly) {
  Attributes attributes = Stump();
  attributes.Erase("nodes_values");
  attributes.Set("nodes_values_as_tensor", Values<double>({3}, {0.1, 0, 0}));
  const auto ensemble = TreeEnsemble::FromRegressor(attributes);
  ASSERT_TRUE(ensemble.ok()) << ensemble.status();
  const double rows[] = {0.1, std::nextafter(0.1, 1.0)};
  double scores[2];
  EvaluateTargets(*ensemble, rows, 2, 1, scores);
  EXPECT_THAT(scores, ElementsAre(10, 20));
}

TEST(TreeEnsemble, RefusesTreesThatAreNone) {
  Attributes cycle = Stump();
  cycle.Set("nodes_modes", Strings{"BRANCH_LEQ", "BRANCH_LEQ", "LEAF"});
  cycle.Set("nodes_truenodeids", Ints{1, 1, 0});
  cycle.Set("nodes_falsenodeids", Ints{2, 2, 0});
  EXPECT_THAT(ErrorOf(cycle), HasSubstr("cycle"));
  Attributes rootless = Stump();
  rootless.Set("nodes_modes", Strings{"BRANCH_LEQ", "BRANCH_LEQ", "LEAF"});
  rootless.Set("nodes_truenodeids", Ints{1, 0, 0});
  rootless.Set("nodes_falsenodeids", Ints{2, 2, 0});
  EXPECT_THAT(ErrorOf(rootless), HasSubstr("no root"));
  Attributes dangling = Stump();
  dangling.Set("nodes_truenodeids", Ints{7, 0, 0});
  EXPECT_THAT(ErrorOf(dangling), HasSubstr("child 7, which does not exist"));
  Attributes twice = Stump();
  twice.Set("nodes_nodeids", Ints{0, 1, 1});
  EXPECT_THAT(ErrorOf(twice), HasSubstr("two nodes 1"));
}

TEST(TreeEnsemble, RefusesListsAndNumbersThatDoNotFit) {
  Attributes shorter = Stump();
  shorter.Set("nodes_values", Floats{0.5});
  EXPECT_THAT(ErrorOf(shorter), HasSubstr("nodes_values has 1 values, expected 3"));
  Attributes mode = Stump();
  mode.Set("nodes_modes", Strings{"BRANCH", "LEAF", "LEAF"});
  EXPECT_THAT(ErrorOf(mode), HasSubstr("\"BRANCH\""));
  Attributes feature = Stump();
  feature.Set("nodes_featureids", Ints{-1, 0, 0});
  EXPECT_THAT(ErrorOf(feature), HasSubstr("reads feature -1"));
  Attributes target = Stump();
  target.Set("target_ids", Ints{0, 1});
  EXPECT_THAT(ErrorOf(target), HasSubstr("target_ids has 1"));
  Attributes targets = Stump();
  targets.Set("n_targets", int64_t{0});
  EXPECT_THAT(ErrorOf(targets), HasSubstr("0 targets"));
  Attributes owner = Stump();
  owner.Set("target_nodeids", Ints{1, 9});
  EXPECT_THAT(ErrorOf(owner), HasSubstr("node 9"));
}

TEST(TreeEnsemble, EvaluatesMoreRowsThanOneBlock) {
  std::vector<float> rows(200);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i % 2);
  const std::vector<float> scores = Evaluate(Stump(), rows);
  for (size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(scores[i], i % 2 == 0 ? 10 : 20) << i;
}

TEST(TreeEnsemble, ReadsMembershipAndSharedLeavesOfTheIndexedForm) {
  const Attributes attributes =
      MakeAttributes({{"tree_roots", Ints{0}},
                      {"nodes_featureids", Ints{0}},
                      {"nodes_modes", Values<uint8_t>({1}, {6})},
                      {"nodes_splits", Values<float>({1}, {0})},
                      {"nodes_truenodeids", Ints{0}},
                      {"nodes_trueleafs", Ints{1}},
                      {"nodes_falsenodeids", Ints{1}},
                      {"nodes_falseleafs", Ints{1}},
                      {"membership_values", Values<float>({3}, {2, 7, std::nanf("")})},
                      {"leaf_targetids", Ints{0, 0}},
                      {"leaf_weights", Values<float>({2}, {1, -1})}});
  const auto ensemble = TreeEnsemble::FromIndexed(attributes);
  ASSERT_TRUE(ensemble.ok()) << ensemble.status();
  const float rows[] = {2, 3, 7};
  float scores[3];
  EvaluateTargets(*ensemble, rows, 3, 1, scores);
  EXPECT_THAT(scores, ElementsAre(1, -1, 1));
}

}  // namespace
}  // namespace inferd::testing
