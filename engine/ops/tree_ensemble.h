#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/attributes.h"

namespace inferd {

// How a node compares its feature x with its threshold to choose the true branch. The numbers are
// those of TreeEnsemble's nodes_modes.
enum class TreeMode : uint8_t {
  kLessEqual = 0,
  kLess = 1,
  kGreaterEqual = 2,
  kGreater = 3,
  kEqual = 4,
  kNotEqual = 5,
  kMember = 6,  // of a set
};

enum class TreeAggregate : uint8_t { kAverage, kSum, kMin, kMax };

// A faster way to evaluate one ensemble, made from it by a provider. Immutable.
class TreeEvaluator {
 public:
  virtual ~TreeEvaluator() = default;
  // Gives exactly what TreeEnsemble::Evaluate does in floats, without telling who voted.
  virtual void Evaluate(const float* x, int64_t rows, int64_t columns, float* scores) const = 0;
};

// Decision trees over rows of features: every row falls to one leaf of every tree, and the leaves'
// weights for a target are aggregated. Built and checked once from the attributes of
// TreeEnsembleClassifier, TreeEnsembleRegressor or TreeEnsemble; nodes lie in depth-first order in
// one compact array. Immutable.
class TreeEnsemble {
 public:
  // One weight of a leaf.
  struct LeafWeight {
    int32_t target = 0;
    double weight = 0;
  };
  // A node as written: indices into the list of nodes it stands in, or leaf weights.
  struct RawNode {
    bool leaf = false;
    TreeMode mode = TreeMode::kLessEqual;
    bool missing_tracks_true = false;
    int64_t feature = 0;
    double threshold = 0;
    std::vector<double> members;  // kMember
    int64_t on_true = 0;
    int64_t on_false = 0;
    std::vector<LeafWeight> weights;  // leaves
  };
  struct Source {
    std::vector<RawNode> nodes;
    std::vector<int64_t> roots;
    int64_t targets = 0;
    TreeAggregate aggregate = TreeAggregate::kSum;
    std::vector<double> base_values;
    bool double_precision = false;  // thresholds or weights need more than float
  };
  // A node as kept: an index into nodes() for each branch.
  struct Node {
    float threshold;
    // Feature in the upper bits, then missing_tracks_true and the mode; kLeaf for leaves.
    uint32_t test;
    // Leaves: the range [on_true, on_false) of leaf_weights().
    int32_t on_true;
    int32_t on_false;

    bool is_leaf() const { return (test & kModeMask) == kLeaf; }
    TreeMode mode() const { return static_cast<TreeMode>(test & kModeMask); }
    bool missing_tracks_true() const { return (test & kMissingTracksTrue) != 0; }
    int64_t feature() const { return test >> kFeatureShift; }
  };

  // INVALID_ARGUMENT for attribute lists of different lengths, unknown modes, children that do not
  // exist or are reached twice, leaves without weights, targets or features out of range.
  static absl::StatusOr<TreeEnsemble> FromClassifier(const Attributes& attributes);
  static absl::StatusOr<TreeEnsemble> FromRegressor(const Attributes& attributes);
  static absl::StatusOr<TreeEnsemble> FromIndexed(const Attributes& attributes);  // TreeEnsemble
  static absl::StatusOr<TreeEnsemble> Build(Source source);

  int64_t targets() const { return targets_; }
  int64_t trees() const { return static_cast<int64_t>(roots_.size()); }
  // One more than the largest feature read: the columns a row must have.
  int64_t features() const { return features_; }
  bool double_precision() const { return double_precision_; }
  TreeAggregate aggregate() const { return aggregate_; }
  const std::vector<double>& base_values() const { return base_values_; }

  // Aggregates the trees' weights for each row of x [rows,columns]: scores [rows,targets], without
  // base values; 0 where no leaf voted. `voted`, unless null, gets 1 where a leaf did. Requires
  // columns >= features(). X and Score are float or double; sums are made in Score.
  template <typename X, typename Score>
  void Evaluate(const X* x, int64_t rows, int64_t columns, Score* scores, uint8_t* voted) const;

  // From now on Evaluate uses it for floats; null changes nothing.
  void UseEvaluator(std::unique_ptr<const TreeEvaluator> evaluator) {
    evaluator_ = std::move(evaluator);
  }

  // What evaluators are made from; thresholds are exact only without double_precision().
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<int32_t>& roots() const { return roots_; }
  const std::vector<LeafWeight>& leaf_weights() const { return leaf_weights_; }

 private:
  static constexpr uint32_t kModeMask = 7;
  static constexpr uint32_t kLeaf = 7;
  static constexpr uint32_t kMissingTracksTrue = 8;
  static constexpr int kFeatureShift = 4;
  static constexpr int64_t kMaxFeatures = int64_t{1} << (32 - kFeatureShift);

  TreeEnsemble() = default;
  static absl::Status CheckNode(const Source& source, const RawNode& node, int64_t index);
  int32_t AddNode(const RawNode& raw);
  template <typename X>
  const Node& FindLeaf(int32_t root, const X* row) const;
  template <typename X>
  bool TakesTrue(const Node& node, X value) const;
  double Threshold(const Node& node) const;

  std::vector<Node> nodes_;
  std::vector<double> exact_thresholds_;  // one a node when double_precision_
  std::vector<std::vector<double>> sets_;
  std::vector<LeafWeight> leaf_weights_;
  std::vector<int32_t> roots_;
  std::vector<double> base_values_;
  std::unique_ptr<const TreeEvaluator> evaluator_;
  int64_t targets_ = 0;
  int64_t features_ = 0;
  TreeAggregate aggregate_ = TreeAggregate::kSum;
  bool double_precision_ = false;
  bool plain_ = true;  // every test is kLessEqual over floats and NaN goes to the false branch
};

// Every row's scores in double with aggregation finished as a regressor does: AVERAGE divided by
// the number of trees, base values added. The rows lie in [rows,targets].
template <typename X, typename Score>
void EvaluateTargets(const TreeEnsemble& ensemble, const X* x, int64_t rows, int64_t columns,
                     Score* scores);

}  // namespace inferd
