#include "engine/ops/linear_model.h"

#include "absl/strings/str_cat.h"
#include "engine/ops/matmul.h"

namespace inferd {

absl::StatusOr<std::vector<float>> LinearScores(const Attributes& attributes,
                                                const FeatureMatrix<float>& x, int64_t targets) {
  const std::vector<float>& coefficients = attributes.Floats("coefficients");
  const std::vector<float>& intercepts = attributes.Floats("intercepts");
  const int64_t count = static_cast<int64_t>(coefficients.size());
  if (targets < 1 || count % targets != 0 || count / targets != x.columns) {
    return absl::InvalidArgumentError(absl::StrCat("attribute coefficients has ", count,
                                                   " values, expected ", targets, " times the ",
                                                   x.columns, " columns of X"));
  }
  if (!intercepts.empty() && static_cast<int64_t>(intercepts.size()) != targets) {
    return absl::InvalidArgumentError(absl::StrCat("attribute intercepts has ", intercepts.size(),
                                                   " values, expected ", targets));
  }
  std::vector<float> scores(x.rows * targets, 0.0f);
  for (int64_t i = 0; !intercepts.empty() && i < x.rows * targets; ++i) {
    scores[i] = intercepts[i % targets];
  }
  const std::vector<float> weights = Transposed<float>(coefficients.data(), targets, x.columns);
  AddMatrixProduct(x.rows, targets, x.columns, x.data, weights.data(), scores.data());
  return scores;
}

}  // namespace inferd
