#include "engine/ops/tree_model.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/normalization.h"

namespace inferd {
namespace {

absl::StatusOr<ClassLabels> Labels(const Attributes& attributes) {
  return ReadClassLabels(attributes, "classlabels_int64s", "classlabels_strings");
}

OneSidedVotes ReadVotes(const Attributes& attributes, int64_t classes) {
  const std::vector<int64_t>& ids = attributes.Ints("class_ids");
  OneSidedVotes votes;
  votes.one_sided = classes == 2 && std::set<int64_t>(ids.begin(), ids.end()).size() == 1;
  if (!votes.one_sided) return votes;
  votes.voting_class = ids[0];
  for (float weight : attributes.Floats("class_weights")) votes.probabilities &= weight >= 0;
  if (const Tensor* weights = attributes.TensorOrNull("class_weights_as_tensor")) {
    const auto values = ToDoubles(*weights);
    for (double weight : values.value_or(std::vector<double>())) votes.probabilities &= weight >= 0;
  }
  return votes;
}

// Finishes the scores of a row whose votes are one-sided and returns the winning class.
template <typename Score>
int64_t FinishOneSided(const OneSidedVotes& votes, const std::vector<double>& base_values,
                       PostTransform transform, absl::Span<Score> scores) {
  Score sum = scores[votes.voting_class];
  if (!base_values.empty()) {
    sum += static_cast<Score>(base_values.size() == 1 ? base_values[0]
                                                      : base_values[votes.voting_class]);
  }
  const int64_t winner = sum > (votes.probabilities ? Score(0.5) : Score(0)) ? 1 : 0;
  scores[1] = sum;
  if (votes.voting_class == 1) {
    ApplyPostTransform(transform, scores);
  } else if (transform == PostTransform::kLogistic) {
    scores[0] = -sum;
    ApplyPostTransform(transform, scores);
  } else {
    scores[0] = votes.probabilities ? 1 - sum : -sum;
    if (transform == PostTransform::kProbit) ApplyPostTransform(transform, scores);
  }
  return winner;
}

template <typename Score>
int64_t FinishMany(const std::vector<double>& base_values, PostTransform transform,
                   absl::Span<Score> scores) {
  for (size_t c = 0; c < base_values.size(); ++c) scores[c] += static_cast<Score>(base_values[c]);
  const int64_t winner = std::max_element(scores.begin(), scores.end()) - scores.begin();
  ApplyPostTransform(transform, scores);
  return winner;
}

// Input 0 to output 0 of type `dtype`, one score a row and target.
template <typename X, typename Sum>
absl::Status Score(const TreeEnsemble& ensemble, PostTransform transform, DType dtype,
                   KernelContext& context) {
  ASSIGN_OR_RETURN(const FeatureMatrix<X> x,
                   ReadFeatures<X>(context.input(0), ensemble.features()));
  const int64_t targets = ensemble.targets();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, Shape({x.rows, targets})));
  std::vector<Sum> scores(x.rows * targets);
  EvaluateTargets(ensemble, x.data, x.rows, x.columns, scores.data());
  for (int64_t row = 0; row < x.rows && transform != PostTransform::kNone; ++row) {
    ApplyPostTransform(transform, absl::MakeSpan(scores).subspan(row * targets, targets));
  }
  return DispatchTypes<float, double, Float16>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = y->mutable_data<T>();
    for (const Sum score : scores) *to++ = static_cast<T>(score);
    return absl::OkStatus();
  });
}

}  // namespace

absl::StatusOr<TreeClassifier> TreeClassifier::FromAttributes(const Attributes& attributes) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(attributes));
  ASSIGN_OR_RETURN(TreeEnsemble ensemble, TreeEnsemble::FromClassifier(attributes));
  if (ensemble.targets() != labels.count()) {
    return absl::InvalidArgumentError("classlabels_int64s and classlabels_strings are both given");
  }
  TreeClassifier classifier(std::move(ensemble));
  classifier.votes_ = ReadVotes(attributes, labels.count());
  ASSIGN_OR_RETURN(classifier.transform_, ReadPostTransform(attributes));
  return classifier;
}

absl::Status TreeClassifier::Run(KernelContext& context) const {
  if (ensemble_.double_precision()) return Classify<double, double>(context);
  if (context.input(0).dtype() == DType::kFloat64) return Classify<double, float>(context);
  return Classify<float, float>(context);
}

template <typename X, typename Score>
absl::Status TreeClassifier::Classify(KernelContext& context) const {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  ASSIGN_OR_RETURN(const FeatureMatrix<X> x,
                   ReadFeatures<X>(context.input(0), ensemble_.features()));
  const int64_t classes = ensemble_.targets();
  const Shape shape({x.rows, classes});
  RETURN_IF_ERROR(shape.CheckedElements().status());
  Tensor own;
  Tensor* output = &own;
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(output, context.Output(1, DType::kFloat32, shape));
  }
  std::vector<Score> scores(x.rows * classes);
  ensemble_.Evaluate(x.data, x.rows, x.columns, scores.data(), nullptr);
  std::vector<int64_t> winners(x.rows);
  for (int64_t row = 0; row < x.rows; ++row) {
    const auto row_scores = absl::MakeSpan(scores).subspan(row * classes, classes);
    winners[row] = votes_.one_sided
                       ? FinishOneSided(votes_, ensemble_.base_values(), transform_, row_scores)
                       : FinishMany(ensemble_.base_values(), transform_, row_scores);
  }
  if (output->has_data()) std::copy(scores.begin(), scores.end(), output->mutable_data<float>());
  return StoreLabels(context, labels, winners);
}

absl::StatusOr<TreeRegressor> TreeRegressor::FromAttributes(const Attributes& attributes) {
  ASSIGN_OR_RETURN(TreeEnsemble ensemble, TreeEnsemble::FromRegressor(attributes));
  TreeRegressor regressor(std::move(ensemble));
  ASSIGN_OR_RETURN(regressor.transform_, ReadPostTransform(attributes));
  return regressor;
}

absl::Status TreeRegressor::Run(KernelContext& context) const {
  const bool wide_input = context.input(0).dtype() == DType::kFloat64;
  if (ensemble_.double_precision()) {
    return Score<double, double>(ensemble_, transform_, DType::kFloat32, context);
  }
  if (wide_input) return Score<double, float>(ensemble_, transform_, DType::kFloat32, context);
  return Score<float, float>(ensemble_, transform_, DType::kFloat32, context);
}

absl::StatusOr<TreeScorer> TreeScorer::FromAttributes(const Attributes& attributes) {
  ASSIGN_OR_RETURN(TreeEnsemble ensemble, TreeEnsemble::FromIndexed(attributes));
  const int64_t transform = attributes.Int("post_transform", 0);
  if (transform < 0 || transform > 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute post_transform is ", transform, ", expected 0 to 4"));
  }
  TreeScorer scorer(std::move(ensemble));
  scorer.transform_ = static_cast<PostTransform>(transform);
  return scorer;
}

absl::Status TreeScorer::Run(KernelContext& context) const {
  const DType dtype = context.input(0).dtype();
  if (ensemble_.double_precision() || dtype == DType::kFloat64) {
    return Score<double, double>(ensemble_, transform_, dtype, context);
  }
  return Score<float, float>(ensemble_, transform_, dtype, context);
}

}  // namespace inferd
