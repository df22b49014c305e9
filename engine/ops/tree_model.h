#pragma once

#include "absl/status/statusor.h"
#include "engine/ops/kernel_context.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/tree_ensemble.h"

namespace inferd {

// Two classes are often written as votes for one of them; then the other gets the complement.
struct OneSidedVotes {
  bool one_sided = false;
  int64_t voting_class = 0;
  // No weight is negative: the sums are probabilities, decided at 0.5 instead of 0.
  bool probabilities = true;
};

// All that a TreeEnsembleClassifier node needs beside its input, read from its attributes once.
// Immutable.
class TreeClassifier {
 public:
  // INVALID_ARGUMENT as TreeEnsemble::FromClassifier, and for labels of both kinds.
  static absl::StatusOr<TreeClassifier> FromAttributes(const Attributes& attributes);
  // Input 0 to labels and scores. The context's attributes are those this was made from.
  absl::Status Run(KernelContext& context) const;
  TreeEnsemble& ensemble() { return ensemble_; }

 private:
  explicit TreeClassifier(TreeEnsemble ensemble) : ensemble_(std::move(ensemble)) {}
  template <typename X, typename Score>
  absl::Status Classify(KernelContext& context) const;

  TreeEnsemble ensemble_;
  OneSidedVotes votes_;
  PostTransform transform_ = PostTransform::kNone;
};

// The same for TreeEnsembleRegressor.
class TreeRegressor {
 public:
  static absl::StatusOr<TreeRegressor> FromAttributes(const Attributes& attributes);
  absl::Status Run(KernelContext& context) const;
  TreeEnsemble& ensemble() { return ensemble_; }

 private:
  explicit TreeRegressor(TreeEnsemble ensemble) : ensemble_(std::move(ensemble)) {}

  TreeEnsemble ensemble_;
  PostTransform transform_ = PostTransform::kNone;
};

// The same for TreeEnsemble, whose scores are of its input's type.
class TreeScorer {
 public:
  static absl::StatusOr<TreeScorer> FromAttributes(const Attributes& attributes);
  absl::Status Run(KernelContext& context) const;
  TreeEnsemble& ensemble() { return ensemble_; }

 private:
  explicit TreeScorer(TreeEnsemble ensemble) : ensemble_(std::move(ensemble)) {}

  TreeEnsemble ensemble_;
  PostTransform transform_ = PostTransform::kNone;
};

}  // namespace inferd
