#include "engine/providers/cpu/compact_trees.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

constexpr int kFeatures = 5;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

enum class Votes { kOneTarget, kEveryTarget, kAny };

struct Forest {
  int trees = 1;
  int depth = 3;
  int targets = 1;
  Votes votes = Votes::kOneTarget;
  bool every_mode = false;
  bool ragged = false;  // leaves at any depth
};

// Random forests and rows for them; values repeat, so that thresholds are met exactly.
class RandomForests {
 public:
  // Few different numbers, with those that compare in their own way where `odd`.
  float Number(bool odd) {
    const float odd_numbers[] = {kNan, kInfinity, -kInfinity, -0.0f};
    if (odd && random_() % 10 == 0) return odd_numbers[random_() % 4];
    return static_cast<float>(static_cast<int>(random_() % 9) - 4) / 2;
  }

  TreeEnsemble Make(const Forest& forest) {
    TreeEnsemble::Source source;
    source.targets = forest.targets;
    for (int tree = 0; tree < forest.trees; ++tree) {
      source.roots.push_back(static_cast<int64_t>(source.nodes.size()));
      source.nodes.emplace_back();
      AddBranch(forest, source.nodes.size() - 1, 0, &source);
    }
    absl::StatusOr<TreeEnsemble> ensemble = TreeEnsemble::Build(std::move(source));
    EXPECT_TRUE(ensemble.ok()) << ensemble.status();
    return *std::move(ensemble);
  }

 private:
  void AddBranch(const Forest& forest, size_t index, int depth, TreeEnsemble::Source* source) {
    TreeEnsemble::RawNode node;
    node.leaf = depth == forest.depth || (forest.ragged && depth > 0 && random_() % 4 == 0);
    if (node.leaf) {
      AddVotes(forest, &node);
    } else {
      if (forest.every_mode) node.mode = static_cast<TreeMode>(random_() % 6);
      node.missing_tracks_true = forest.every_mode && random_() % 2 == 0;
      node.feature = random_() % kFeatures;
      node.threshold = Number(forest.every_mode);
      node.on_true = static_cast<int64_t>(source->nodes.size());
      node.on_false = node.on_true + 1;
    }
    source->nodes[index] = node;
    if (node.leaf) return;
    source->nodes.resize(source->nodes.size() + 2);
    AddBranch(forest, node.on_true, depth + 1, source);
    AddBranch(forest, node.on_false, depth + 1, source);
  }

  void AddVotes(const Forest& forest, TreeEnsemble::RawNode* leaf) {
    const auto vote = [&](int64_t target) {
      const float weight = std::sin(static_cast<float>(random_() % 1000));
      leaf->weights.push_back({static_cast<int32_t>(target), weight});
    };
    if (forest.votes == Votes::kOneTarget) return vote(forest.targets - 1);
    if (forest.votes == Votes::kEveryTarget) {
      for (int target = 0; target < forest.targets; ++target) vote(target);
      return;
    }
    for (int count = static_cast<int>(random_() % 4); count > 0; --count) {
      vote(random_() % forest.targets);
    }
  }

  std::minstd_rand random_{1};
};

// Bit for bit, at numbers of rows that fill lanes and blocks and that do not.
void ExpectEqual(const Forest& forest, RandomForests* random) {
  const TreeEnsemble ensemble = random->Make(forest);
  const auto compact = CompactTrees::Make(ensemble);
  ASSERT_NE(compact, nullptr);
  for (const int rows : {0, 1, 3, 4, 7, 8, 9, 12, 131}) {
    std::vector<float> x(rows * kFeatures);
    for (float& value : x) value = random->Number(forest.every_mode);
    std::vector<float> expected(rows * forest.targets);
    std::vector<float> got(expected.size(), kNan);
    ensemble.Evaluate(x.data(), rows, kFeatures, expected.data(), nullptr);
    compact->Evaluate(x.data(), rows, kFeatures, got.data());
    EXPECT_TRUE(rows == 0 ||
                std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)) == 0)
        << rows << " rows, " << forest.trees << " trees of depth " << forest.depth;
  }
}

TEST(CompactTrees, GiveWhatTheEnsembleGives) {
  RandomForests random;
  for (const int trees : {0, 1, 7, 8, 9, 30}) {
    for (const int depth : {0, 1, 4, 6, 11}) {
      for (const Votes votes : {Votes::kOneTarget, Votes::kEveryTarget, Votes::kAny}) {
        for (const bool every_mode : {false, true}) {
          ExpectEqual({trees, depth, 1 + trees % 3, votes, every_mode, depth > 4}, &random);
        }
      }
    }
  }
}

TEST(CompactTrees, WalkManyRowsInSeveralBlocks) {
  RandomForests random;
  const TreeEnsemble ensemble = random.Make({.trees = 3, .depth = 5});
  const auto compact = CompactTrees::Make(ensemble);
  const int64_t columns = 5000;  // of which five are read
  const int64_t rows = 150;
  std::vector<float> x(rows * columns);
  for (float& value : x) value = random.Number(false);
  std::vector<float> expected(rows);
  std::vector<float> got(rows);
  ensemble.Evaluate(x.data(), rows, columns, expected.data(), nullptr);
  compact->Evaluate(x.data(), rows, columns, got.data());
  EXPECT_EQ(got, expected);
}

TEST(CompactTrees, AreNotMadeOfWhatTheyDoNotHold) {
  TreeEnsemble::RawNode leaf;
  leaf.leaf = true;
  leaf.weights = {{0, 1.0}};
  const TreeEnsemble::Source plain = {.nodes = {leaf}, .roots = {0}, .targets = 1};
  EXPECT_NE(CompactTrees::Make(*TreeEnsemble::Build(plain)), nullptr);
  TreeEnsemble::Source exact = plain;
  exact.double_precision = true;
  EXPECT_EQ(CompactTrees::Make(*TreeEnsemble::Build(exact)), nullptr);
  TreeEnsemble::Source least = plain;
  least.aggregate = TreeAggregate::kMin;
  EXPECT_EQ(CompactTrees::Make(*TreeEnsemble::Build(least)), nullptr);
}

}  // namespace
}  // namespace inferd::cpu
