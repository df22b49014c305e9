#include "engine/ops/tree_ensemble.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kMaxNodes = std::numeric_limits<int32_t>::max();

}  // namespace

absl::Status TreeEnsemble::CheckNode(const Source& source, const RawNode& node, int64_t index) {
  const int64_t count = static_cast<int64_t>(source.nodes.size());
  if (node.leaf) {
    for (const LeafWeight& weight : node.weights) {
      if (weight.target < 0 || weight.target >= source.targets) {
        return absl::InvalidArgumentError(absl::StrCat("leaf ", index, " votes for target ",
                                                       weight.target, " of ", source.targets));
      }
    }
    return absl::OkStatus();
  }
  if (node.feature < 0 || node.feature >= kMaxFeatures) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree node ", index, " reads feature ", node.feature));
  }
  for (int64_t child : {node.on_true, node.on_false}) {
    if (child < 0 || child >= count) {
      return absl::InvalidArgumentError(
          absl::StrCat("tree node ", index, " has child ", child, " of ", count, " nodes"));
    }
  }
  return absl::OkStatus();
}

int32_t TreeEnsemble::AddNode(const RawNode& raw) {
  Node node{};
  if (raw.leaf) {
    node.test = kLeaf;
    node.on_true = static_cast<int32_t>(leaf_weights_.size());
    leaf_weights_.insert(leaf_weights_.end(), raw.weights.begin(), raw.weights.end());
    node.on_false = static_cast<int32_t>(leaf_weights_.size());
  } else {
    features_ = std::max(features_, raw.feature + 1);
    node.threshold = static_cast<float>(raw.threshold);
    node.test = static_cast<uint32_t>(raw.feature) << kFeatureShift |
                (raw.missing_tracks_true ? kMissingTracksTrue : 0) |
                static_cast<uint32_t>(raw.mode);
    plain_ = plain_ && raw.mode == TreeMode::kLessEqual && !raw.missing_tracks_true;
  }
  exact_thresholds_.push_back(raw.threshold);
  if (raw.mode == TreeMode::kMember) {
    // The set's index stands where the threshold would.
    exact_thresholds_.back() = static_cast<double>(sets_.size());
    sets_.push_back(raw.members);
    std::sort(sets_.back().begin(), sets_.back().end());
    double_precision_ = true;
  }
  nodes_.push_back(node);
  return static_cast<int32_t>(nodes_.size()) - 1;
}

absl::StatusOr<TreeEnsemble> TreeEnsemble::Build(Source source) {
  if (static_cast<int64_t>(source.nodes.size()) > kMaxNodes) {
    return absl::InvalidArgumentError("tree ensemble has too many nodes");
  }
  if (source.targets < 1 || source.targets > std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("tree ensemble has ", source.targets, " targets"));
  }
  for (size_t i = 0; i < source.nodes.size(); ++i) {
    RETURN_IF_ERROR(CheckNode(source, source.nodes[i], static_cast<int64_t>(i)));
  }
  TreeEnsemble ensemble;
  ensemble.targets_ = source.targets;
  ensemble.aggregate_ = source.aggregate;
  ensemble.base_values_ = std::move(source.base_values);
  ensemble.double_precision_ = source.double_precision;
  ensemble.plain_ = !source.double_precision;
  std::vector<int32_t> placed(source.nodes.size(), -1);
  // Depth first, the false branch right behind its parent; a slot is the child link to fill in.
  struct Pending {
    int64_t raw;
    int32_t parent;
    bool on_true;
  };
  for (int64_t root : source.roots) {
    std::vector<Pending> stack = {{root, -1, false}};
    while (!stack.empty()) {
      const Pending next = stack.back();
      stack.pop_back();
      const RawNode& raw = source.nodes[next.raw];
      const bool seen = placed[next.raw] >= 0;
      // Leaves may be shared.
      if (seen && !raw.leaf) {
        return absl::InvalidArgumentError(
            absl::StrCat("tree node ", next.raw, " is reached twice: the tree has a cycle"));
      }
      const int32_t id = seen ? placed[next.raw] : ensemble.AddNode(raw);
      placed[next.raw] = id;
      if (next.parent < 0) {
        ensemble.roots_.push_back(id);
      } else if (next.on_true) {
        ensemble.nodes_[next.parent].on_true = id;
      } else {
        ensemble.nodes_[next.parent].on_false = id;
      }
      if (raw.leaf) continue;
      stack.push_back({raw.on_true, id, true});
      stack.push_back({raw.on_false, id, false});
    }
  }
  if (!ensemble.double_precision_) ensemble.exact_thresholds_ = {};
  return ensemble;
}

double TreeEnsemble::Threshold(const Node& node) const {
  return double_precision_ ? exact_thresholds_[&node - nodes_.data()] : node.threshold;
}

template <typename X>
bool TreeEnsemble::TakesTrue(const Node& node, X value) const {
  if (value != value && node.missing_tracks_true()) return true;
  const double threshold = Threshold(node);
  switch (node.mode()) {
    case TreeMode::kLessEqual:
      return value <= threshold;
    case TreeMode::kLess:
      return value < threshold;
    case TreeMode::kGreaterEqual:
      return value >= threshold;
    case TreeMode::kGreater:
      return value > threshold;
    case TreeMode::kEqual:
      return value == threshold;
    case TreeMode::kNotEqual:
      return value != threshold;
    case TreeMode::kMember: {
      const std::vector<double>& set = sets_[static_cast<size_t>(threshold)];
      return value == value &&
             std::binary_search(set.begin(), set.end(), static_cast<double>(value));
    }
  }
  return false;
}

template <typename X>
const TreeEnsemble::Node& TreeEnsemble::FindLeaf(int32_t root, const X* row) const {
  const Node* node = &nodes_[root];
  if (plain_) {
    while (!node->is_leaf()) {
      const bool taken = row[node->feature()] <= node->threshold;
      node = &nodes_[taken ? node->on_true : node->on_false];
    }
    return *node;
  }
  while (!node->is_leaf()) {
    const bool taken = TakesTrue(*node, row[node->feature()]);
    node = &nodes_[taken ? node->on_true : node->on_false];
  }
  return *node;
}

template <typename X, typename Score>
void TreeEnsemble::Evaluate(const X* x, int64_t rows, int64_t columns, Score* scores,
                            uint8_t* voted) const {
  if constexpr (std::is_same_v<X, float> && std::is_same_v<Score, float>) {
    if (evaluator_ != nullptr && voted == nullptr) {
      return evaluator_->Evaluate(x, rows, columns, scores);
    }
  }
  // Blocks of rows keep one tree's nodes in the cache for all of them.
  constexpr int64_t kBlock = 64;
  std::fill_n(scores, rows * targets_, Score(0));
  std::vector<uint8_t> own_votes;
  const bool extreme = aggregate_ == TreeAggregate::kMin || aggregate_ == TreeAggregate::kMax;
  if (voted == nullptr && extreme) {
    own_votes.resize(rows * targets_);
    voted = own_votes.data();
  }
  if (voted != nullptr) std::fill_n(voted, rows * targets_, 0);
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, rows);
    for (int32_t root : roots_) {
      for (int64_t row = begin; row < end; ++row) {
        const Node& leaf = FindLeaf(root, x + row * columns);
        for (int32_t w = leaf.on_true; w < leaf.on_false; ++w) {
          const int64_t at = row * targets_ + leaf_weights_[w].target;
          const Score weight = static_cast<Score>(leaf_weights_[w].weight);
          if (!extreme) {
            scores[at] += weight;
          } else if (voted[at] == 0) {
            scores[at] = weight;
          } else {
            scores[at] = aggregate_ == TreeAggregate::kMin ? std::min(scores[at], weight)
                                                           : std::max(scores[at], weight);
          }
          if (voted != nullptr) voted[at] = 1;
        }
      }
    }
  }
}

template <typename X, typename Score>
void EvaluateTargets(const TreeEnsemble& ensemble, const X* x, int64_t rows, int64_t columns,
                     Score* scores) {
  ensemble.Evaluate(x, rows, columns, scores, nullptr);
  const int64_t targets = ensemble.targets();
  for (int64_t i = 0; i < rows * targets; ++i) {
    if (ensemble.aggregate() == TreeAggregate::kAverage && ensemble.trees() > 0) {
      scores[i] /= static_cast<Score>(ensemble.trees());
    }
    if (!ensemble.base_values().empty()) {
      scores[i] += static_cast<Score>(ensemble.base_values()[i % targets]);
    }
  }
}

#define INFERD_INSTANTIATE(X, Score)                                                        \
  template void TreeEnsemble::Evaluate(const X*, int64_t, int64_t, Score*, uint8_t*) const; \
  template void EvaluateTargets(const TreeEnsemble&, const X*, int64_t, int64_t, Score*);
INFERD_INSTANTIATE(float, float)
INFERD_INSTANTIATE(float, double)
INFERD_INSTANTIATE(double, float)
INFERD_INSTANTIATE(double, double)
#undef INFERD_INSTANTIATE

}  // namespace inferd
