#include "engine/ops/class_loss.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

enum class Reduction : uint8_t { kNone, kSum, kMean };

absl::StatusOr<Reduction> ReadReduction(const Attributes& attributes) {
  const std::string reduction = attributes.String("reduction", "mean");
  if (reduction == "none") return Reduction::kNone;
  if (reduction == "sum") return Reduction::kSum;
  if (reduction == "mean") return Reduction::kMean;
  return absl::InvalidArgumentError(
      absl::StrCat("reduction is \"", reduction, "\", expected none, sum or mean"));
}

bool Fits(const Dim& a, const Dim& b) { return !a.known() || !b.known() || a.value == b.value; }

absl::Status CheckShapes(const SymbolicShape& scores, const SymbolicShape& labels,
                         const SymbolicShape* weights) {
  if (scores.has_rank() && scores.rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("scores have shape ", scores.ToString(), ", expected [N,C,...]"));
  }
  if (scores.has_rank() && labels.has_rank()) {
    bool fits = labels.rank() == scores.rank() - 1 && Fits(labels[0], scores[0]);
    for (int i = 1; fits && i < labels.rank(); ++i) fits = Fits(labels[i], scores[i + 1]);
    if (!fits) {
      return absl::InvalidArgumentError(absl::StrCat("labels have shape ", labels.ToString(),
                                                     ", scores ", scores.ToString(),
                                                     "; expected theirs without dimension 1"));
    }
  }
  if (weights == nullptr || !weights->has_rank()) return absl::OkStatus();
  if (weights->rank() == 1 && (!scores.has_rank() || Fits((*weights)[0], scores[1]))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("weights have shape ", weights->ToString(),
                                                 ", expected one for each class of scores ",
                                                 scores.ToString()));
}

// The labels as class numbers; -1 where they are ignored.
absl::StatusOr<std::vector<int64_t>> ReadLabels(const KernelContext& context, int64_t classes) {
  std::optional<int64_t> ignored;
  if (context.attributes().Has("ignore_index")) {
    ignored = context.attributes().Int("ignore_index", 0);
  }
  ASSIGN_OR_RETURN(std::vector<int64_t> labels, context.input(1).ToInt64s());
  for (size_t i = 0; i < labels.size(); ++i) {
    if (ignored && labels[i] == *ignored) {
      labels[i] = -1;
    } else if (labels[i] < 0 || labels[i] >= classes) {
      return absl::InvalidArgumentError(
          absl::StrCat("label ", labels[i], " at position ", i, " is outside [0,", classes - 1, "]",
                       ignored ? absl::StrCat(" and not ignore_index ", *ignored) : ""));
    }
  }
  return labels;
}

}  // namespace

absl::Status InferClassLoss(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt32, DType::kInt64}));
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 2}));
  ASSIGN_OR_RETURN(const Reduction reduction, ReadReduction(context.attributes()));
  const SymbolicShape* weights = context.has_input(2) ? &context.shape(2) : nullptr;
  RETURN_IF_ERROR(CheckShapes(context.shape(0), context.shape(1), weights));
  SymbolicShape shape = SymbolicShape::Scalar();
  if (reduction == Reduction::kNone) {
    shape = context.shape(1);
    const SymbolicShape& scores = context.shape(0);
    for (int i = 0; scores.has_rank() && i < shape.rank(); ++i) {
      if (!shape[i].known()) shape[i] = scores[i == 0 ? 0 : i + 1];
    }
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeClassLoss(KernelContext& context, const AccumulatorOf<T>* log_prob) {
  using Acc = AccumulatorOf<T>;
  const Shape& scores = context.input(0).shape();
  const Shape& shape = context.input(1).shape();
  ASSIGN_OR_RETURN(const Reduction reduction, ReadReduction(context.attributes()));
  const SymbolicShape weights_shape =
      context.has_input(2) ? SymbolicShape(context.input(2).shape()) : SymbolicShape();
  RETURN_IF_ERROR(CheckShapes(scores, shape, &weights_shape));
  const int64_t classes = scores[1];
  const int64_t inner = scores.Product(2, scores.rank());
  const T* weights = context.has_input(2) ? context.input(2).data<T>() : nullptr;
  ASSIGN_OR_RETURN(const std::vector<int64_t> labels, ReadLabels(context, classes));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, context.input(0).dtype(),
                                              reduction == Reduction::kNone ? shape : Shape()));
  T* out = y->template mutable_data<T>();
  double sum = 0;
  double total_weight = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(labels.size()); ++i) {
    Acc loss = 0;
    if (labels[i] >= 0) {
      const Acc weight = weights == nullptr ? Acc(1) : static_cast<Acc>(weights[labels[i]]);
      loss = -log_prob[(i / inner * classes + labels[i]) * inner + i % inner] * weight;
      total_weight += weight;
    }
    sum += loss;
    if (reduction == Reduction::kNone) out[i] = static_cast<T>(loss);
  }
  if (reduction == Reduction::kSum) *out = static_cast<T>(static_cast<Acc>(sum));
  if (reduction == Reduction::kMean) *out = static_cast<T>(static_cast<Acc>(sum / total_weight));
  return absl::OkStatus();
}

template absl::Status ComputeClassLoss<float>(KernelContext&, const float*);
template absl::Status ComputeClassLoss<double>(KernelContext&, const double*);
template absl::Status ComputeClassLoss<Float16>(KernelContext&, const float*);
template absl::Status ComputeClassLoss<Bfloat16>(KernelContext&, const float*);

}  // namespace inferd
