#include "engine/ops/skip_normalization.h"

#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/normalization.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

enum Input { kX, kSkip, kGamma };
enum Output { kY, kMean, kInverse, kSum };

SymbolicShape StatisticsShape(SymbolicShape x) {
  if (x.has_rank()) x[x.rank() - 1] = 1;
  return x;
}

// A vector parameter as doubles, `missing` repeated where it is absent.
absl::StatusOr<std::vector<double>> Parameter(const KernelContext& context, int input,
                                              int64_t columns, double missing) {
  if (!context.has_input(input)) return std::vector<double>(columns, missing);
  RETURN_IF_ERROR(CheckChannelVector(absl::StrCat("input ", input), context.input(input).shape(),
                                     Dim(columns)));
  return ToDoubles(context.input(input));
}

struct Parameters {
  std::vector<double> gamma, beta, bias;
  double epsilon = 0;
};

absl::StatusOr<Parameters> ReadParameters(const KernelContext& context,
                                          const SkipNormalization& kind, int64_t columns) {
  Parameters parameters;
  ASSIGN_OR_RETURN(parameters.gamma, Parameter(context, kGamma, columns, 1));
  int next = kGamma + 1;
  parameters.beta.assign(columns, 0);
  if (kind.centered) {
    ASSIGN_OR_RETURN(parameters.beta, Parameter(context, next++, columns, 0));
  }
  ASSIGN_OR_RETURN(parameters.bias, Parameter(context, next, columns, 0));
  parameters.epsilon = context.attributes().Float("epsilon", 1e-12f);
  return parameters;
}

// x + skip + bias; skip may lack or broadcast leading dimensions.
template <typename T>
std::vector<double> SumRow(const Tensor& x, const Tensor& skip, const std::vector<double>& bias,
                           int64_t row) {
  const int64_t columns = static_cast<int64_t>(bias.size());
  const T* a = x.data<T>() + row * columns;
  const T* b = skip.data<T>() + row * columns % skip.num_elements();
  std::vector<double> sum(columns);
  for (int64_t j = 0; j < columns; ++j) {
    sum[j] = static_cast<double>(a[j]) + static_cast<double>(b[j]) + bias[j];
  }
  return sum;
}

absl::Status CheckSkip(const Shape& x, const Shape& skip) {
  bool fits = skip.rank() >= 1 && skip.rank() <= x.rank();
  bool leading = true;  // only leading dimensions may be 1
  for (int i = 0; fits && i < skip.rank(); ++i) {
    const int64_t want = x[x.rank() - skip.rank() + i];
    leading = leading && skip[i] == 1 && i + 1 < skip.rank();
    fits = skip[i] == want || leading;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("skip has shape ", skip.ToString(), ", X has ", x.ToString()));
}

}  // namespace

absl::Status InferSkipNormalization(InferContext& context, const SkipNormalization& kind) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kSkip}));
  const SymbolicShape& x = context.shape(kX);
  const int parameters = kind.centered ? 5 : 4;
  if (x.has_rank() && x.rank() < 1) return absl::InvalidArgumentError("X is a scalar");
  for (int i = kGamma; x.has_rank() && i < parameters; ++i) {
    if (!context.has_input(i)) continue;
    RETURN_IF_ERROR(
        CheckChannelVector(absl::StrCat("input ", i), context.shape(i), x[x.rank() - 1]));
  }
  context.SetOutput(kY, context.input_type(kX));
  context.SetOutput(kMean, DType::kFloat32, StatisticsShape(x));
  context.SetOutput(kInverse, DType::kFloat32, StatisticsShape(x));
  context.SetOutput(kSum, context.input_type(kX));
  return absl::OkStatus();
}

absl::Status ComputeSkipNormalization(KernelContext& context, const SkipNormalization& kind) {
  const Tensor& x = context.input(kX);
  const Tensor& skip = context.input(kSkip);
  RETURN_IF_ERROR(CheckSkip(x.shape(), skip.shape()));
  const int64_t columns = x.dim(x.rank() - 1);
  const int64_t rows = x.shape().Product(0, x.rank() - 1);
  ASSIGN_OR_RETURN(const Parameters parameters, ReadParameters(context, kind, columns));
  Shape statistics = x.shape();
  statistics[statistics.rank() - 1] = 1;
  Tensor* outputs[4] = {};
  for (int i = kY; i <= kSum; ++i) {
    if (!context.wants_output(i)) continue;
    const bool full = i == kY || i == kSum;
    ASSIGN_OR_RETURN(outputs[i], context.Output(i, full ? x.dtype() : DType::kFloat32,
                                                full ? x.shape() : statistics));
  }
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t row = 0; row < rows && columns > 0; ++row) {
      const std::vector<double> sum = SumRow<T>(x, skip, parameters.bias, row);
      Moments moments = MomentsOf(sum.data(), columns);
      if (!kind.centered) {
        moments.variance += moments.mean * moments.mean;
        moments.mean = 0;
      }
      const double inverse = 1 / std::sqrt(moments.variance + parameters.epsilon);
      for (int64_t j = 0; j < columns; ++j) {
        if (outputs[kY] != nullptr) {
          outputs[kY]->mutable_data<T>()[row * columns + j] = static_cast<T>(
              (sum[j] - moments.mean) * inverse * parameters.gamma[j] + parameters.beta[j]);
        }
        if (outputs[kSum] != nullptr) {
          outputs[kSum]->mutable_data<T>()[row * columns + j] = static_cast<T>(sum[j]);
        }
      }
      if (outputs[kMean] != nullptr) {
        outputs[kMean]->mutable_data<float>()[row] = static_cast<float>(moments.mean);
      }
      if (outputs[kInverse] != nullptr) {
        outputs[kInverse]->mutable_data<float>()[row] = static_cast<float>(inverse);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace inferd
