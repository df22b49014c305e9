#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/ops/tree_ensemble.h"

namespace inferd::cpu {

// A tree ensemble laid out for walking several rows down one tree, or one row down several trees,
// side by side without branches: the two children of a node lie together, every test is a range
// that the feature falls into or not, and a leaf is a node that leads back to itself. Immutable.
class CompactTrees : public TreeEvaluator {
 public:
  // Null for what this form does not hold: thresholds in double, sets, MIN and MAX.
  static std::unique_ptr<const CompactTrees> Make(const TreeEnsemble& ensemble);

  void Evaluate(const float* x, int64_t rows, int64_t columns, float* scores) const override;

 private:
  // Leads to node `child` when the feature is in [low, high], or NaN where nan_is_in, else to the
  // node behind it. Of leaves `low` is the weight, or the index of the leaf's first vote.
  struct Node {
    float high;
    float low;
    uint32_t feature : 31;
    uint32_t nan_is_in : 1;
    uint32_t child;
  };
  struct Vote {
    int32_t target;
    float weight;
  };
  // What the leaves hold.
  enum class Leaves : uint8_t {
    kOneTarget,  // one weight each, all for target_
    kDense,      // a weight for every target in their order
    kVotes,      // anything: votes_ from the leaf's index up to a vote with target -1
  };

  CompactTrees() = default;
  // The index in votes_ of each leaf's first vote.
  std::vector<uint32_t> AddVotes(const TreeEnsemble& ensemble);
  void AddTree(const TreeEnsemble& ensemble, const std::vector<uint32_t>& first_votes,
               int32_t root);
  void SetTest(const TreeEnsemble::Node& from, Node* to);
  // Takes every lane `depth` steps down from its start; with kOneRow all have the first's row.
  template <bool kRanges, bool kOneRow>
  void Walk(const uint32_t* starts, const float* const* rows, int32_t depth,
            uint32_t* leaves) const;
  template <bool kRanges>
  uint32_t Step(uint32_t at, const float* row) const;
  void Prefetch(const Node* next, int64_t begin, int64_t rows) const;
  // Adds what the first `count` lanes found; `stride` lies between their scores.
  void AddLeaves(const uint32_t* leaves, int64_t count, float* scores, int64_t stride) const;
  template <bool kRanges>
  void EvaluateBlock(const float* x, int64_t rows, int64_t columns, float* scores) const;
  template <bool kRanges>
  void EvaluateRow(const float* row, float* scores) const;
  template <bool kRanges>
  void EvaluateRows(const float* x, int64_t rows, int64_t columns, float* scores) const;

  std::vector<Node> nodes_;
  int64_t trees_ = 0;
  // Of each tree and of the lanes that fill up the last group; depth: tests on the longest way.
  std::vector<uint32_t> roots_;
  std::vector<int32_t> depths_;
  std::vector<Vote> votes_;
  Leaves leaves_ = Leaves::kVotes;
  int32_t target_ = 0;
  int64_t targets_ = 0;
  bool has_ranges_ = false;  // some test has a lower end or a meaning for NaN
};

}  // namespace inferd::cpu
