#include "engine/providers/cpu/compact_trees.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace inferd::cpu {
namespace {

constexpr int kLanes = 8;
// Bytes of rows that pass a tree before the next one is fetched: large ensembles are many times
// the size of a near cache, so that each pass over the trees is dear.
constexpr int64_t kBlockBytes = 256 << 10;
constexpr int64_t kCacheLineBytes = 64;
// Steps between two looks whether all lanes stand on leaves.
constexpr int32_t kStride = 4;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Whether every leaf has one weight for the same target, which is set.
bool HaveOneTarget(const TreeEnsemble& ensemble, int32_t* target) {
  bool first = true;
  for (const TreeEnsemble::Node& node : ensemble.nodes()) {
    if (!node.is_leaf()) continue;
    if (node.on_false - node.on_true != 1) return false;
    const int32_t voted = ensemble.leaf_weights()[node.on_true].target;
    if (!first && voted != *target) return false;
    *target = voted;
    first = false;
  }
  return true;
}

bool AreDense(const TreeEnsemble& ensemble) {
  for (const TreeEnsemble::Node& node : ensemble.nodes()) {
    if (!node.is_leaf()) continue;
    if (node.on_false - node.on_true != ensemble.targets()) return false;
    for (int32_t w = node.on_true; w < node.on_false; ++w) {
      if (ensemble.leaf_weights()[w].target != w - node.on_true) return false;
    }
  }
  return true;
}

// The largest number below `value`, where denormal ones are zeros (PrepareThread).
float NextBelow(float value) {
  constexpr float kLeast = std::numeric_limits<float>::min();
  if (std::abs(value) < kLeast) return -kLeast;
  const float next = std::nextafter(value, -kInfinity);
  return std::abs(next) < kLeast ? 0.0f : next;
}

}  // namespace

std::unique_ptr<const CompactTrees> CompactTrees::Make(const TreeEnsemble& ensemble) {
  // Every inner node gets its own pair of children, so that shared leaves are repeated.
  constexpr size_t kMaxNodes = std::numeric_limits<int32_t>::max() / 4;
  constexpr size_t kMaxWeights = std::numeric_limits<int32_t>::max();
  const bool sums = ensemble.aggregate() == TreeAggregate::kSum ||
                    ensemble.aggregate() == TreeAggregate::kAverage;
  // Sets make an ensemble one of double precision.
  if (!sums || ensemble.double_precision() || ensemble.nodes().size() > kMaxNodes ||
      ensemble.leaf_weights().size() > kMaxWeights) {
    return nullptr;
  }
  auto trees = std::unique_ptr<CompactTrees>(new CompactTrees());
  trees->targets_ = ensemble.targets();
  if (HaveOneTarget(ensemble, &trees->target_)) {
    trees->leaves_ = Leaves::kOneTarget;
  } else if (AreDense(ensemble)) {
    trees->leaves_ = Leaves::kDense;
  }
  const std::vector<uint32_t> first_votes = trees->AddVotes(ensemble);
  for (int32_t root : ensemble.roots()) trees->AddTree(ensemble, first_votes, root);
  trees->trees_ = ensemble.trees();
  // Empty lanes repeat the last tree.
  while (trees->roots_.size() % kLanes != 0) {
    trees->roots_.push_back(trees->roots_.back());
    trees->depths_.push_back(trees->depths_.back());
  }
  return trees;
}

std::vector<uint32_t> CompactTrees::AddVotes(const TreeEnsemble& ensemble) {
  if (leaves_ == Leaves::kOneTarget) return {};
  std::vector<uint32_t> first_votes(ensemble.nodes().size());
  for (size_t i = 0; i < first_votes.size(); ++i) {
    const TreeEnsemble::Node& node = ensemble.nodes()[i];
    if (!node.is_leaf()) continue;
    first_votes[i] = static_cast<uint32_t>(votes_.size());
    for (int32_t w = node.on_true; w < node.on_false; ++w) {
      const TreeEnsemble::LeafWeight& weight = ensemble.leaf_weights()[w];
      votes_.push_back({weight.target, static_cast<float>(weight.weight)});
    }
    if (leaves_ == Leaves::kVotes) votes_.push_back({-1, 0});
  }
  return first_votes;
}

void CompactTrees::AddTree(const TreeEnsemble& ensemble, const std::vector<uint32_t>& first_votes,
                           int32_t root) {
  struct Placed {
    int32_t from;
    uint32_t to;
    int32_t depth;
  };
  int32_t depth = 0;
  roots_.push_back(static_cast<uint32_t>(nodes_.size()));
  nodes_.emplace_back();
  // Level by level.
  std::vector<Placed> queue = {{root, roots_.back(), 0}};
  for (size_t i = 0; i < queue.size(); ++i) {
    const Placed next = queue[i];
    const TreeEnsemble::Node& from = ensemble.nodes()[next.from];
    depth = std::max(depth, next.depth);
    if (from.is_leaf()) {
      // No value is in a range that ends with NaN: a walker steps from before the leaf to the leaf.
      const float content = leaves_ == Leaves::kOneTarget
                                ? static_cast<float>(ensemble.leaf_weights()[from.on_true].weight)
                                : std::bit_cast<float>(first_votes[next.from]);
      nodes_[next.to] = {kNan, content, 0, 0, next.to - 1};
      continue;
    }
    const uint32_t child = static_cast<uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    SetTest(from, &nodes_[next.to]);
    nodes_[next.to].child = child;
    // "Greater" and "not equal" are the outside of a range.
    const bool swapped = from.mode() == TreeMode::kGreater || from.mode() == TreeMode::kNotEqual;
    queue.push_back({swapped ? from.on_false : from.on_true, child, next.depth + 1});
    queue.push_back({swapped ? from.on_true : from.on_false, child + 1, next.depth + 1});
  }
  depths_.push_back(depth);
}

void CompactTrees::SetTest(const TreeEnsemble::Node& from, Node* to) {
  const float threshold = from.threshold;
  bool nan_is_in = from.missing_tracks_true();
  *to = {kInfinity, -kInfinity, static_cast<uint32_t>(from.feature()), 0, 0};
  switch (from.mode()) {
    case TreeMode::kLessEqual:
      to->high = threshold;
      break;
    case TreeMode::kLess:
      // Nothing is below -infinity.
      to->high = threshold == -kInfinity ? kNan : NextBelow(threshold);
      break;
    case TreeMode::kGreaterEqual:
      to->low = threshold;
      break;
    case TreeMode::kGreater:
      // Nothing is above NaN, so that all is inside.
      to->high = std::isnan(threshold) ? kInfinity : threshold;
      nan_is_in = !nan_is_in;
      break;
    case TreeMode::kEqual:
      to->low = to->high = threshold;
      break;
    case TreeMode::kNotEqual:
      // NaN differs from everything, so that it is outside whether missing values track or not.
      to->low = to->high = threshold;
      nan_is_in = false;
      break;
    case TreeMode::kMember:
      break;  // not held
  }
  to->nan_is_in = nan_is_in;
  has_ranges_ = has_ranges_ || nan_is_in || to->low != -kInfinity;
}

template <bool kRanges>
inline uint32_t CompactTrees::Step(uint32_t at, const float* row) const {
  const Node& node = nodes_[at];
  const float value = row[node.feature];
  bool inside = value <= node.high;
  if constexpr (kRanges) {
    inside =
        (inside & (value >= node.low)) | (static_cast<bool>(node.nan_is_in) & (value != value));
  }
  return node.child + static_cast<uint32_t>(!inside);
}

template <bool kRanges, bool kOneRow>
inline void CompactTrees::Walk(const uint32_t* starts, const float* const* rows, int32_t depth,
                               uint32_t* leaves) const {
  uint32_t at[kLanes];
#pragma GCC unroll 8
  for (int i = 0; i < kLanes; ++i) at[i] = starts[i];
  while (depth > 0) {
    const int32_t steps = std::min(depth, kStride);
    for (int32_t step = 0; step < steps; ++step) {
#pragma GCC unroll 8
      for (int i = 0; i < kLanes; ++i) at[i] = Step<kRanges>(at[i], rows[kOneRow ? 0 : i]);
    }
    depth -= steps;
    if (depth <= 0) break;
    uint32_t moving = 0;
    for (uint32_t node : at) moving |= (nodes_[node].child + 1) ^ node;
    if (moving == 0) break;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kLanes; ++i) leaves[i] = at[i];
}

void CompactTrees::AddLeaves(const uint32_t* leaves, int64_t count, float* scores,
                             int64_t stride) const {
  for (int64_t i = 0; i < count; ++i, scores += stride) {
    const float content = nodes_[leaves[i]].low;
    if (leaves_ == Leaves::kOneTarget) {
      scores[target_] += content;
      continue;
    }
    const Vote* vote = votes_.data() + std::bit_cast<uint32_t>(content);
    if (leaves_ == Leaves::kDense) {
      for (int64_t t = 0; t < targets_; ++t) scores[t] += vote[t].weight;
      continue;
    }
    for (; vote->target >= 0; ++vote) scores[vote->target] += vote->weight;
  }
}

// Fetches the part of the tree at `next` that is due after `begin` of `rows` rows, so that the tree
// is there after all of them. Trees are taken to be as large as they are on average.
inline void CompactTrees::Prefetch(const Node* next, int64_t begin, int64_t rows) const {
  const int64_t tree_bytes = static_cast<int64_t>(nodes_.size() / trees_ * sizeof(Node));
  const char* const bytes = reinterpret_cast<const char*>(next);
  const int64_t end = std::min(begin + kLanes, rows) * tree_bytes / rows;
  for (int64_t at = begin * tree_bytes / rows; at < end; at += kCacheLineBytes) {
    __builtin_prefetch(bytes + at);
  }
}

template <bool kRanges>
void CompactTrees::EvaluateBlock(const float* x, int64_t rows, int64_t columns,
                                 float* scores) const {
  for (int64_t tree = 0; tree < trees_; ++tree) {
    const Node* const next = nodes_.data() + (tree + 1 < trees_ ? roots_[tree + 1] : 0);
    uint32_t starts[kLanes];
    std::fill_n(starts, kLanes, roots_[tree]);
    for (int64_t begin = 0; begin < rows; begin += kLanes) {
      Prefetch(next, begin, rows);
      const float* lanes[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) lanes[i] = x + std::min(begin + i, rows - 1) * columns;
      uint32_t leaves[kLanes];
      Walk<kRanges, false>(starts, lanes, depths_[tree], leaves);
      const int64_t count = std::min<int64_t>(kLanes, rows - begin);
      AddLeaves(leaves, count, scores + begin * targets_, targets_);
    }
  }
}

template <bool kRanges>
void CompactTrees::EvaluateRow(const float* row, float* scores) const {
  for (int64_t tree = 0; tree < trees_; tree += kLanes) {
    const auto depths = depths_.begin() + tree;
    uint32_t leaves[kLanes];
    Walk<kRanges, true>(&roots_[tree], &row, *std::max_element(depths, depths + kLanes), leaves);
    AddLeaves(leaves, std::min<int64_t>(kLanes, trees_ - tree), scores, 0);
  }
}

template <bool kRanges>
void CompactTrees::EvaluateRows(const float* x, int64_t rows, int64_t columns,
                                float* scores) const {
  // A few rows leave most lanes of a tree empty: each goes down several trees instead.
  const int64_t alone = rows % kLanes < kLanes / 2 ? rows % kLanes : 0;
  const int64_t together = rows - alone;
  const int64_t row_bytes = std::max<int64_t>(columns, 1) * sizeof(float);
  const int64_t block = std::max<int64_t>(kBlockBytes / row_bytes / kLanes, 8) * kLanes;
  for (int64_t begin = 0; begin < together; begin += block) {
    const int64_t count = std::min(block, together - begin);
    EvaluateBlock<kRanges>(x + begin * columns, count, columns, scores + begin * targets_);
  }
  for (int64_t row = together; row < rows; ++row) {
    EvaluateRow<kRanges>(x + row * columns, scores + row * targets_);
  }
}

void CompactTrees::Evaluate(const float* x, int64_t rows, int64_t columns, float* scores) const {
  std::fill_n(scores, rows * targets_, 0.0f);
  if (has_ranges_) {
    EvaluateRows<true>(x, rows, columns, scores);
  } else {
    EvaluateRows<false>(x, rows, columns, scores);
  }
}

}  // namespace inferd::cpu
