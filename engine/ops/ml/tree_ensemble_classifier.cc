#include <algorithm>
#include <set>

#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/tree_ensemble.h"

namespace inferd::ops::ml {
namespace {

// What decides how the scores of two classes are written.
struct BinaryRules {
  bool one_class_votes = false;      // all weights belong to one class
  bool weights_are_positive = true;  // no weight is negative
};

BinaryRules ReadBinaryRules(const Attributes& attributes) {
  const std::vector<int64_t>& ids = attributes.Ints("class_ids");
  BinaryRules rules;
  rules.one_class_votes = std::set<int64_t>(ids.begin(), ids.end()).size() == 1;
  for (float weight : attributes.Floats("class_weights")) {
    rules.weights_are_positive &= weight >= 0;
  }
  if (const Tensor* weights = attributes.TensorOrNull("class_weights_as_tensor");
      weights != nullptr && weights->dtype() == DType::kFloat64) {
    for (double weight : weights->values<double>()) rules.weights_are_positive &= weight >= 0;
  } else if (weights != nullptr && weights->dtype() == DType::kFloat32) {
    for (float weight : weights->values<float>()) rules.weights_are_positive &= weight >= 0;
  }
  return rules;
}

// Finishes the scores of a row with two classes and returns the winning class. When only one class
// got votes its sum is the score of class 1, and class 0 gets the complement: 1 - s where the sums
// are probabilities (no negative weight), else -s.
template <typename Score>
int64_t FinishBinary(const BinaryRules& rules, const std::vector<double>& base_values,
                     PostTransform transform, absl::Span<Score> scores,
                     absl::Span<const uint8_t> voted) {
  bool both = voted[1] != 0;
  if (base_values.size() == 2) {
    if (both) {
      scores[1] = static_cast<Score>(base_values[1]) + scores[0];
      scores[0] = -scores[1];
    } else {
      scores[1] += static_cast<Score>(base_values[1]);
      scores[0] += static_cast<Score>(base_values[0]);
    }
    both = true;
  } else if (base_values.size() == 1) {
    scores[0] += static_cast<Score>(base_values[0]);
  }
  const Score positive = both ? scores[1] : scores[0];
  const bool probabilities = rules.one_class_votes && rules.weights_are_positive;
  const int64_t winner = positive > (probabilities ? Score(0.5) : Score(0)) ? 1 : 0;
  if (both) {
    ApplyPostTransform(transform, scores);
    return winner;
  }
  const Score sum = scores[0];
  if (probabilities) {
    scores[1] = sum;
    scores[0] = 1 - sum;
  } else {
    scores[1] = sum;
    scores[0] = -sum;
    if (transform == PostTransform::kLogistic) ApplyPostTransform(transform, scores);
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
  const BinaryRules rules = ReadBinaryRules(context.attributes());
  std::vector<Score> scores(x.rows * classes);
  std::vector<uint8_t> voted(x.rows * classes);
  ensemble.Evaluate(x.data, x.rows, x.columns, scores.data(), voted.data());
  std::vector<int64_t> winners(x.rows);
  for (int64_t row = 0; row < x.rows; ++row) {
    const auto row_scores = absl::MakeSpan(scores).subspan(row * classes, classes);
    winners[row] =
        classes == 2
            ? FinishBinary(rules, ensemble.base_values(), transform, row_scores,
                           absl::MakeConstSpan(voted).subspan(row * classes, classes))
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
  ASSIGN_OR_RETURN(const TreeEnsemble ensemble,
                   TreeEnsemble::FromClassifier(context.attributes()));
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
