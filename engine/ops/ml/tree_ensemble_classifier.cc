#include <algorithm>
#include <set>

#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/tree_ensemble.h"

namespace inferd::ops::ml {
namespace {

// Two classes are often written as votes for one of them; then the other gets the complement.
struct OneSidedVotes {
  bool one_sided = false;
  int64_t voting_class = 0;
  // No weight is negative: the sums are probabilities, decided at 0.5 instead of 0.
  bool probabilities = true;
};

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

template <typename X, typename Score>
absl::Status Classify(KernelContext& context, const TreeEnsemble& ensemble,
                      const ClassLabels& labels) {
  ASSIGN_OR_RETURN(const FeatureMatrix<X> x,
                   ReadFeatures<X>(context.input(0), ensemble.features()));
  ASSIGN_OR_RETURN(const PostTransform transform, ReadPostTransform(context.attributes()));
  const int64_t classes = ensemble.targets();
  const Shape shape({x.rows, classes});
  RETURN_IF_ERROR(shape.CheckedElements().status());
  Tensor own;
  Tensor* output = &own;
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(output, context.Output(1, DType::kFloat32, shape));
  }
  const OneSidedVotes votes = ReadVotes(context.attributes(), classes);
  std::vector<Score> scores(x.rows * classes);
  ensemble.Evaluate(x.data, x.rows, x.columns, scores.data(), nullptr);
  std::vector<int64_t> winners(x.rows);
  for (int64_t row = 0; row < x.rows; ++row) {
    const auto row_scores = absl::MakeSpan(scores).subspan(row * classes, classes);
    winners[row] = votes.one_sided
                       ? FinishOneSided(votes, ensemble.base_values(), transform, row_scores)
                       : FinishMany(ensemble.base_values(), transform, row_scores);
  }
  if (output->has_data()) std::copy(scores.begin(), scores.end(), output->mutable_data<float>());
  return StoreLabels(context, labels, winners);
}

absl::StatusOr<ClassLabels> Labels(const Attributes& attributes) {
  return ReadClassLabels(attributes, "classlabels_int64s", "classlabels_strings");
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  return InferClassifier(context, labels, labels.count());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const ClassLabels labels, Labels(context.attributes()));
  ASSIGN_OR_RETURN(const TreeEnsemble ensemble, TreeEnsemble::FromClassifier(context.attributes()));
  if (ensemble.targets() != labels.count()) {
    return absl::InvalidArgumentError("classlabels_int64s and classlabels_strings are both given");
  }
  const bool double_input = context.input(0).dtype() == DType::kFloat64;
  if (ensemble.double_precision()) return Classify<double, double>(context, ensemble, labels);
  if (double_input) return Classify<double, float>(context, ensemble, labels);
  return Classify<float, float>(context, ensemble, labels);
}

}  // namespace

OpDef TreeEnsembleClassifier() {
  return {.domain = "ai.onnx.ml",
          .name = "TreeEnsembleClassifier",
          .since = 5,
          .min_outputs = 2,
          .max_outputs = 2,
          .attributes = {{"base_values", AttributeKind::kFloats},
                         {"base_values_as_tensor", AttributeKind::kTensor},
                         {"class_ids", AttributeKind::kInts},
                         {"class_nodeids", AttributeKind::kInts},
                         {"class_treeids", AttributeKind::kInts},
                         {"class_weights", AttributeKind::kFloats},
                         {"class_weights_as_tensor", AttributeKind::kTensor},
                         {"classlabels_int64s", AttributeKind::kInts},
                         {"classlabels_strings", AttributeKind::kStrings},
                         {"nodes_falsenodeids", AttributeKind::kInts},
                         {"nodes_featureids", AttributeKind::kInts},
                         {"nodes_hitrates", AttributeKind::kFloats},
                         {"nodes_hitrates_as_tensor", AttributeKind::kTensor},
                         {"nodes_missing_value_tracks_true", AttributeKind::kInts},
                         {"nodes_modes", AttributeKind::kStrings},
                         {"nodes_nodeids", AttributeKind::kInts},
                         {"nodes_treeids", AttributeKind::kInts},
                         {"nodes_truenodeids", AttributeKind::kInts},
                         {"nodes_values", AttributeKind::kFloats},
                         {"nodes_values_as_tensor", AttributeKind::kTensor},
                         {"post_transform", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
