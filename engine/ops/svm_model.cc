#include "engine/ops/svm_model.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace inferd {

absl::StatusOr<SvmKernel> SvmKernel::Read(const Attributes& attributes) {
  SvmKernel kernel;
  const std::string type = attributes.String("kernel_type", "LINEAR");
  if (type == "POLY") {
    kernel.type_ = Type::kPoly;
  } else if (type == "RBF") {
    kernel.type_ = Type::kRbf;
  } else if (type == "SIGMOID") {
    kernel.type_ = Type::kSigmoid;
  } else if (type != "LINEAR") {
    return absl::InvalidArgumentError(absl::StrCat("attribute kernel_type is \"", type,
                                                   "\", expected LINEAR, POLY, RBF or SIGMOID"));
  }
  const std::vector<float>& parameters = attributes.Floats("kernel_params");
  if (parameters.empty()) return kernel;
  if (parameters.size() != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute kernel_params has ", parameters.size(), " values, expected 3"));
  }
  kernel.gamma_ = parameters[0];
  kernel.coef0_ = parameters[1];
  kernel.degree_ = parameters[2];
  return kernel;
}

double SvmKernel::Value(const float* a, const float* b, int64_t count) const {
  double sum = 0;
  if (type_ == Type::kRbf) {
    for (int64_t i = 0; i < count; ++i) {
      const double distance = static_cast<double>(a[i]) - b[i];
      sum += distance * distance;
    }
    return std::exp(-gamma_ * sum);
  }
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  if (type_ == Type::kPoly) return std::pow(gamma_ * sum + coef0_, degree_);
  if (type_ == Type::kSigmoid) return std::tanh(gamma_ * sum + coef0_);
  return sum;
}

std::vector<double> CoupleProbabilities(int64_t k, const std::vector<double>& pairwise) {
  std::vector<double> q(k * k);
  for (int64_t t = 0; t < k; ++t) {
    for (int64_t j = 0; j < k; ++j) {
      if (j == t) continue;
      q[t * k + t] += pairwise[j * k + t] * pairwise[j * k + t];
      q[t * k + j] = -pairwise[j * k + t] * pairwise[t * k + j];
    }
  }
  std::vector<double> p(k, 1.0 / static_cast<double>(k));
  std::vector<double> qp(k);
  const double tolerance = 0.005 / static_cast<double>(k);
  for (int64_t iteration = 0; iteration < std::max<int64_t>(100, k); ++iteration) {
    double pqp = 0;
    for (int64_t t = 0; t < k; ++t) {
      qp[t] = 0;
      for (int64_t j = 0; j < k; ++j) qp[t] += q[t * k + j] * p[j];
      pqp += p[t] * qp[t];
    }
    double error = 0;
    for (int64_t t = 0; t < k; ++t) error = std::max(error, std::abs(qp[t] - pqp));
    if (error < tolerance) break;
    for (int64_t t = 0; t < k; ++t) {
      const double step = (pqp - qp[t]) / q[t * k + t];
      p[t] += step;
      pqp = (pqp + step * (step * q[t * k + t] + 2 * qp[t])) / ((1 + step) * (1 + step));
      for (int64_t j = 0; j < k; ++j) {
        qp[j] = (qp[j] + step * q[t * k + j]) / (1 + step);
        p[j] /= 1 + step;
      }
    }
  }
  return p;
}

}  // namespace inferd
