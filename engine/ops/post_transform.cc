#include "engine/ops/post_transform.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

template <typename T>
void Softmax(absl::Span<T> scores) {
  const T maximum = *std::max_element(scores.begin(), scores.end());
  T sum = 0;
  for (T& score : scores) sum += score = std::exp(score - maximum);
  for (T& score : scores) score /= sum;
}

// Softmax over the scores that are not zero; the others stay zero.
template <typename T>
void SoftmaxZero(absl::Span<T> scores) {
  constexpr T kZero = static_cast<T>(1e-7);
  const T maximum = *std::max_element(scores.begin(), scores.end());
  T sum = 0;
  for (T& score : scores) {
    score = std::abs(score) > kZero ? std::exp(score - maximum) : score * std::exp(-maximum);
    sum += score;
  }
  for (T& score : scores) score = sum == 0 ? T(0.5) : score / sum;
}

template <typename T>
void Apply(PostTransform transform, absl::Span<T> scores) {
  if (scores.empty()) return;
  switch (transform) {
    case PostTransform::kNone:
      return;
    case PostTransform::kSoftmax:
      return Softmax(scores);
    case PostTransform::kLogistic:
      for (T& score : scores) score = static_cast<T>(Logistic(score));
      return;
    case PostTransform::kSoftmaxZero:
      return SoftmaxZero(scores);
    case PostTransform::kProbit:
      for (T& score : scores) score = static_cast<T>(Probit(score));
      return;
  }
}

}  // namespace

absl::StatusOr<PostTransform> ReadPostTransform(const Attributes& attributes) {
  const std::string name = attributes.String("post_transform", "NONE");
  if (name == "NONE") return PostTransform::kNone;
  if (name == "SOFTMAX") return PostTransform::kSoftmax;
  if (name == "LOGISTIC") return PostTransform::kLogistic;
  if (name == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (name == "PROBIT") return PostTransform::kProbit;
  return absl::InvalidArgumentError(
      absl::StrCat("attribute post_transform is \"", name,
                   "\", expected NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT"));
}

void ApplyPostTransform(PostTransform transform, absl::Span<float> scores) {
  Apply(transform, scores);
}
void ApplyPostTransform(PostTransform transform, absl::Span<double> scores) {
  Apply(transform, scores);
}

double Logistic(double value) {
  const double upper = 1 / (1 + std::exp(-std::abs(value)));
  return value < 0 ? 1 - upper : upper;
}

double Probit(double probability) {
  if (std::isnan(probability) || probability < 0 || probability > 1) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (probability == 0 || probability == 1) {
    const double infinity = std::numeric_limits<double>::infinity();
    return probability == 0 ? -infinity : infinity;
  }
  // Winitzki's approximation of the inverse error function, then Newton steps on the normal
  // distribution function.
  constexpr double kShape = 0.147;
  const double x = 2 * probability - 1;
  const double log = std::log1p(-x * x);
  const double half = 2 / (std::numbers::pi * kShape) + 0.5 * log;
  const double root = std::sqrt(std::sqrt(half * half - log / kShape) - half);
  double quantile = std::copysign(root, x) * std::numbers::sqrt2;
  for (int step = 0; step < 4; ++step) {
    const double error = 0.5 * std::erfc(-quantile / std::numbers::sqrt2) - probability;
    const double density =
        std::exp(-0.5 * quantile * quantile) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    if (density < 1e-300) break;
    quantile -= error / density;
  }
  return quantile;
}

}  // namespace inferd
