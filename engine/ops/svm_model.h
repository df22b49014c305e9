#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"

namespace inferd {

// The kernel function of a support vector machine, from attributes kernel_type and kernel_params
// (gamma, coef0, degree). Immutable.
class SvmKernel {
 public:
  static absl::StatusOr<SvmKernel> Read(const Attributes& attributes);
  // A plain dot product.
  static SvmKernel Linear() { return SvmKernel(); }

  // k(a, b) over `count` features.
  double Value(const float* a, const float* b, int64_t count) const;

 private:
  enum class Type : uint8_t { kLinear, kPoly, kRbf, kSigmoid };
  SvmKernel() = default;
  Type type_ = Type::kLinear;
  double gamma_ = 0;
  double coef0_ = 0;
  double degree_ = 0;
};

// The probabilities of k classes from those of all pairs (row-major [k,k], p[i][j] that of class i
// against j), by the iteration of Wu, Lin and Weng: "Probability estimates for multi-class
// classification by pairwise coupling" (2004), as libsvm uses it.
std::vector<double> CoupleProbabilities(int64_t k, const std::vector<double>& pairwise);

}  // namespace inferd
