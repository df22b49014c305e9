#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/random_generator.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

struct Sampling {
  DType dtype;
  int64_t sample_size;
};

absl::StatusOr<Sampling> ReadSampling(const Attributes& attributes, const SymbolicShape& x) {
  Sampling sampling;
  ASSIGN_OR_RETURN(sampling.dtype,
                   ReadDType(attributes, "dtype", DType::kInt32, {DType::kInt32, DType::kInt64}));
  sampling.sample_size = attributes.Int("sample_size", 1);
  if (sampling.sample_size < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute sample_size is ", sampling.sample_size, ", expected at least 1"));
  }
  if (x.has_rank() && (x.rank() != 2 || x[1].Is(0))) {
    return absl::InvalidArgumentError(
        absl::StrCat("input has shape ", x.ToString(), ", expected [batch,classes]"));
  }
  return sampling;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  const SymbolicShape& x = context.shape(0);
  ASSIGN_OR_RETURN(const Sampling sampling, ReadSampling(context.attributes(), x));
  context.SetOutput(0, sampling.dtype,
                    {x.has_rank() ? x[0] : Dim::Unknown(), Dim(sampling.sample_size)});
  return absl::OkStatus();
}

// Running sums of the classes' probabilities, up to a factor, from their logarithms.
absl::StatusOr<std::vector<double>> Cumulate(const double* logarithms, int64_t classes) {
  const double largest = *std::max_element(logarithms, logarithms + classes);
  std::vector<double> sums(classes);
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) sums[c] = sum += std::exp(logarithms[c] - largest);
  if (std::isfinite(sum)) return sums;
  return absl::InvalidArgumentError("input has a row of log-probabilities without a finite sum");
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const Sampling sampling, ReadSampling(context.attributes(), x.shape()));
  ASSIGN_OR_RETURN(Tensor * y,
                   context.Output(0, sampling.dtype, Shape({x.dim(0), sampling.sample_size})));
  ASSIGN_OR_RETURN(const std::vector<double> logarithms, ToDoubles(x));
  RandomGenerator generator(context.attributes());
  return DispatchTypes<int32_t, int64_t>(sampling.dtype, [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T* sample = y->mutable_data<T>();
    const int64_t classes = x.dim(1);
    for (int64_t b = 0; b < x.dim(0); ++b) {
      ASSIGN_OR_RETURN(const std::vector<double> sums,
                       Cumulate(logarithms.data() + b * classes, classes));
      for (int64_t s = 0; s < sampling.sample_size; ++s) {
        const double at = generator.Uniform() * sums.back();
        const auto found = std::upper_bound(sums.begin(), sums.end(), at);
        *sample++ = static_cast<T>(std::min(found, sums.end() - 1) - sums.begin());
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Multinomial() {
  return {.name = "Multinomial",
          .since = 22,
          .attributes = {{"dtype", AttributeKind::kInt},
                         {"sample_size", AttributeKind::kInt},
                         {"seed", AttributeKind::kFloat}},
          .deterministic = false,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
