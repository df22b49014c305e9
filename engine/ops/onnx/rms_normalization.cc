#include <cmath>

#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const SymbolicShape& x = context.shape(0);
  if (x.has_rank()) {
    RETURN_IF_ERROR(NormalizeAxis(context.attributes().Int("axis", -1), x.rank()).status());
    RETURN_IF_ERROR(CheckParameter("scale", context.shape(1), x));
  }
  // V, the type of the scale, is also the output's.
  context.SetOutput(0, context.dtype(1), x);
  return absl::OkStatus();
}

template <typename T, typename V>
void Normalize(const Tensor& x, const std::vector<double>& scale, int axis, double epsilon,
               Tensor* y) {
  const int64_t columns = x.shape().Product(axis, x.rank());
  const int64_t rows = x.shape().Product(0, axis);
  for (int64_t row = 0; row < rows; ++row) {
    const T* from = x.data<T>() + row * columns;
    V* to = y->mutable_data<V>() + row * columns;
    double sum = 0;
    for (int64_t j = 0; j < columns; ++j) {
      sum += static_cast<double>(from[j]) * static_cast<double>(from[j]);
    }
    const double inverse = 1 / std::sqrt(sum / static_cast<double>(columns) + epsilon);
    for (int64_t j = 0; j < columns; ++j) {
      // The normalized value is rounded to x's type first, as the standard's definition does.
      const T normalized = static_cast<T>(static_cast<double>(from[j]) * inverse);
      to[j] = static_cast<V>(static_cast<double>(normalized) *
                             scale[(row * columns + j) % static_cast<int64_t>(scale.size())]);
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", -1), x.rank()));
  const DType dtype = context.input(1).dtype();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, x.shape()));
  ASSIGN_OR_RETURN(const std::vector<double> scale,
                   RepeatedParameter("scale", context.input(1), x.shape(), axis));
  const double epsilon = context.attributes().Float("epsilon", 1e-5f);
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return DispatchFloat(dtype, [&](auto scale_tag) {
      Normalize<T, typename decltype(scale_tag)::type>(x, scale, axis, epsilon, y);
      return absl::OkStatus();
    });
  });
}

}  // namespace

OpDef RmsNormalization() {
  return {.name = "RMSNormalization",
          .since = 23,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"epsilon", AttributeKind::kFloat},
                         {"stash_type", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
