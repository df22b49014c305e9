#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/feature_matrix.h"
#include "engine/ops/op_def.h"
#include "engine/ops/post_transform.h"
#include "engine/ops/svm_model.h"

namespace inferd::ops::ml {
namespace {

// The checked attributes. Without vectors_per_class the model is linear: one row of coefficients a
// class. Else every pair of classes has a decision function over their support vectors.
struct SvmClassifierModel {
  ClassLabels labels;
  SvmKernel kernel = SvmKernel::Linear();
  PostTransform transform = PostTransform::kNone;
  std::vector<int64_t> starts;  // first support vector of each class, and their number
  bool linear = false;
  bool has_probabilities = false;
  bool weights_are_positive = true;
  const std::vector<float>* coefficients = nullptr;
  const std::vector<float>* vectors = nullptr;
  const std::vector<float>* rho = nullptr;
  const std::vector<float>* prob_a = nullptr;
  const std::vector<float>* prob_b = nullptr;

  int64_t classes() const { return labels.count(); }
  int64_t pairs() const { return classes() * (classes() - 1) / 2; }
  // Scores before two classes with one decision function get their second column.
  int64_t raw_scores() const { return linear || has_probabilities ? classes() : pairs(); }
  int64_t score_columns() const { return raw_scores() == 1 ? 2 : raw_scores(); }
};

absl::Status ReadVectorCounts(const Attributes& attributes, SvmClassifierModel* model) {
  int64_t total = 0;
  for (int64_t count : attributes.Ints("vectors_per_class")) {
    if (count < 0 || count > (int64_t{1} << 31)) {
      return absl::InvalidArgumentError(absl::StrCat("attribute vectors_per_class has ", count));
    }
    model->starts.push_back(total);
    total += count;
  }
  model->starts.push_back(total);
  model->linear = total == 0;
  if (!model->linear && static_cast<int64_t>(model->starts.size()) != model->classes() + 1) {
    return absl::InvalidArgumentError(absl::StrCat("attribute vectors_per_class has ",
                                                   model->starts.size() - 1, " values for ",
                                                   model->classes(), " classes"));
  }
  return absl::OkStatus();
}

absl::StatusOr<SvmClassifierModel> ReadModel(const Attributes& attributes) {
  SvmClassifierModel model;
  ASSIGN_OR_RETURN(model.labels,
                   ReadClassLabels(attributes, "classlabels_ints", "classlabels_strings"));
  ASSIGN_OR_RETURN(model.kernel, SvmKernel::Read(attributes));
  ASSIGN_OR_RETURN(model.transform, ReadPostTransform(attributes));
  RETURN_IF_ERROR(ReadVectorCounts(attributes, &model));
  model.coefficients = &attributes.Floats("coefficients");
  model.vectors = &attributes.Floats("support_vectors");
  model.rho = &attributes.Floats("rho");
  model.prob_a = &attributes.Floats("prob_a");
  model.prob_b = &attributes.Floats("prob_b");
  model.has_probabilities = !model.prob_a->empty() && !model.linear;
  for (float weight : *model.coefficients) model.weights_are_positive &= weight >= 0;
  const auto is = [](const std::vector<float>* list, int64_t count) {
    return static_cast<int64_t>(list->size()) == count;
  };
  bool fits = !model.rho->empty();
  if (!model.linear) {
    fits = model.classes() >= 2 && static_cast<int64_t>(model.rho->size()) >= model.pairs() &&
           is(model.coefficients, (model.classes() - 1) * model.starts.back()) &&
           model.vectors->size() % model.starts.back() == 0 &&
           (!model.has_probabilities ||
            (is(model.prob_a, model.pairs()) && is(model.prob_b, model.pairs())));
  }
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat(
        "lengths of attributes coefficients (", model.coefficients->size(), "), support_vectors (",
        model.vectors->size(), "), rho (", model.rho->size(), ") and prob_a (",
        model.prob_a->size(), ") do not fit ", model.classes(), " classes"));
  }
  return model;
}

absl::Status CheckColumns(const SvmClassifierModel& model, int64_t columns) {
  const int64_t expected = model.linear
                               ? static_cast<int64_t>(model.coefficients->size()) / model.classes()
                               : static_cast<int64_t>(model.vectors->size()) / model.starts.back();
  const bool exact = !model.linear ||
                     static_cast<int64_t>(model.coefficients->size()) == expected * model.classes();
  if (exact && columns == expected) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("X has ", columns, " columns, the model expects ", expected));
}

// The decision values of all pairs (i < j) and the votes they give.
std::vector<float> DecidePairs(const SvmClassifierModel& model, const float* row, int64_t columns,
                               std::vector<int64_t>* votes) {
  const int64_t supports = model.starts.back();
  std::vector<double> kernels(supports);
  for (int64_t s = 0; s < supports; ++s) {
    kernels[s] = model.kernel.Value(row, model.vectors->data() + s * columns, columns);
  }
  votes->assign(model.classes(), 0);
  std::vector<float> decisions;
  for (int64_t i = 0; i < model.classes(); ++i) {
    for (int64_t j = i + 1; j < model.classes(); ++j) {
      double sum = (*model.rho)[decisions.size()];
      const float* for_i = model.coefficients->data() + (j - 1) * supports;
      const float* for_j = model.coefficients->data() + i * supports;
      for (int64_t s = model.starts[i]; s < model.starts[i + 1]; ++s) sum += for_i[s] * kernels[s];
      for (int64_t s = model.starts[j]; s < model.starts[j + 1]; ++s) sum += for_j[s] * kernels[s];
      ++(*votes)[sum > 0 ? i : j];
      decisions.push_back(static_cast<float>(sum));
    }
  }
  return decisions;
}

std::vector<float> Probabilities(const SvmClassifierModel& model,
                                 const std::vector<float>& decisions) {
  const int64_t k = model.classes();
  std::vector<double> pairwise(k * k);
  int64_t pair = 0;
  for (int64_t i = 0; i < k; ++i) {
    for (int64_t j = i + 1; j < k; ++j, ++pair) {
      const double exponent =
          decisions[pair] * static_cast<double>((*model.prob_a)[pair]) + (*model.prob_b)[pair];
      const double p = std::clamp(1 - Logistic(exponent), 1e-7, 1 - 1e-7);
      pairwise[i * k + j] = p;
      pairwise[j * k + i] = 1 - p;
    }
  }
  const std::vector<double> coupled = CoupleProbabilities(k, pairwise);
  return std::vector<float>(coupled.begin(), coupled.end());
}

// One decision value for two classes becomes two columns.
std::vector<float> TwoColumns(const SvmClassifierModel& model, float score) {
  if (model.transform == PostTransform::kProbit) {
    return {static_cast<float>(Probit(1 - score)), static_cast<float>(Probit(score))};
  }
  std::vector<float> scores = {-score, score};
  ApplyPostTransform(model.transform, absl::MakeSpan(scores));
  return scores;
}

// Scores of one row; `winner` is the index of its label.
std::vector<float> Classify(const SvmClassifierModel& model, const float* row, int64_t columns,
                            int64_t* winner) {
  std::vector<float> scores;
  if (model.linear) {
    for (int64_t c = 0; c < model.classes(); ++c) {
      const float* weights = model.coefficients->data() + c * columns;
      const size_t rho = static_cast<size_t>(c) < model.rho->size() ? c : 0;
      scores.push_back(
          static_cast<float>((*model.rho)[rho] + SvmKernel::Linear().Value(row, weights, columns)));
    }
    *winner = std::max_element(scores.begin(), scores.end()) - scores.begin();
  } else {
    std::vector<int64_t> votes;
    scores = DecidePairs(model, row, columns, &votes);
    *winner = std::max_element(votes.begin(), votes.end()) - votes.begin();
    if (model.has_probabilities) scores = Probabilities(model, scores);
  }
  if (scores.size() == 1) return TwoColumns(model, scores[0]);
  ApplyPostTransform(model.transform, absl::MakeSpan(scores));
  return scores;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const SvmClassifierModel model, ReadModel(context.attributes()));
  return InferClassifier(context, model.labels, model.score_columns());
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const SvmClassifierModel model, ReadModel(context.attributes()));
  ASSIGN_OR_RETURN(const FeatureMatrix<float> x, ReadFeatures<float>(context.input(0), 0));
  RETURN_IF_ERROR(CheckColumns(model, x.columns));
  float* to = nullptr;
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * output,
                     context.Output(1, DType::kFloat32, Shape({x.rows, model.score_columns()})));
    to = output->mutable_data<float>();
  }
  std::vector<int64_t> winners(x.rows);
  for (int64_t row = 0; row < x.rows; ++row) {
    const std::vector<float> scores =
        Classify(model, x.data + row * x.columns, x.columns, &winners[row]);
    if (to != nullptr) to = std::copy(scores.begin(), scores.end(), to);
  }
  return StoreLabels(context, model.labels, winners);
}

}  // namespace

OpDef SvmClassifier() {
  return {.domain = "ai.onnx.ml",
          .name = "SVMClassifier",
          .since = 1,
          .min_outputs = 2,
          .max_outputs = 2,
          .attributes = {{"classlabels_ints", AttributeKind::kInts},
                         {"classlabels_strings", AttributeKind::kStrings},
                         {"coefficients", AttributeKind::kFloats},
                         {"kernel_params", AttributeKind::kFloats},
                         {"kernel_type", AttributeKind::kString},
                         {"post_transform", AttributeKind::kString},
                         {"prob_a", AttributeKind::kFloats},
                         {"prob_b", AttributeKind::kFloats},
                         {"rho", AttributeKind::kFloats},
                         {"support_vectors", AttributeKind::kFloats},
                         {"vectors_per_class", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::ml
