#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> StashType(const Attributes& attributes) {
  const int64_t code = attributes.Int("stash_type", 1);
  const DType dtype = code > 0 && code < 32 ? static_cast<DType>(code) : DType::kInvalid;
  if (IsFloatingPoint(dtype)) return dtype;
  return absl::InvalidArgumentError(
      absl::StrCat("attribute stash_type is ", code, ", expected a floating-point type"));
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& x = context.shape(0);
  ASSIGN_OR_RETURN(const DType stash, StashType(context.attributes()));
  SymbolicShape statistics = x;
  if (x.has_rank()) {
    ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", -1), x.rank()));
    for (int i = axis; i < x.rank(); ++i) statistics[i] = 1;
    RETURN_IF_ERROR(CheckParameter("Scale", context.shape(1), x));
    if (context.has_input(2)) RETURN_IF_ERROR(CheckParameter("B", context.shape(2), x));
  }
  context.SetOutput(0, context.dtype(0), x);
  context.SetOutput(1, stash, statistics);
  context.SetOutput(2, stash, statistics);
  return absl::OkStatus();
}

absl::Status StoreStatistics(KernelContext& context, int i, int axis,
                             const std::vector<double>& values) {
  if (!context.wants_output(i)) return absl::OkStatus();
  Shape shape = context.input(0).shape();
  for (int d = axis; d < shape.rank(); ++d) shape[d] = 1;
  ASSIGN_OR_RETURN(const DType stash, StashType(context.attributes()));
  ASSIGN_OR_RETURN(Tensor * output, context.Output(i, stash, shape));
  return DispatchFloat(stash, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::copy(values.begin(), values.end(), output->mutable_data<T>());
    return absl::OkStatus();
  });
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", -1), x.rank()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  std::vector<double> scale = {1};
  std::vector<double> bias = {0};
  ASSIGN_OR_RETURN(scale, RepeatedParameter("Scale", context.input(1), x.shape(), axis));
  if (context.has_input(2)) {
    ASSIGN_OR_RETURN(bias, RepeatedParameter("B", context.input(2), x.shape(), axis));
  }
  const int64_t rows = x.shape().Product(0, axis);
  const int64_t columns = x.shape().Product(axis, x.rank());
  const double epsilon = context.attributes().Float("epsilon", 1e-5f);
  std::vector<double> means, inverses;
  RETURN_IF_ERROR(DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t row = 0; row < rows; ++row) {
      const T* from = x.data<T>() + row * columns;
      T* to = y->mutable_data<T>() + row * columns;
      const Moments moments = MomentsOf(from, columns);
      means.push_back(moments.mean);
      inverses.push_back(1 / std::sqrt(moments.variance + epsilon));
      for (int64_t j = 0; j < columns; ++j) {
        const size_t i = row * columns + j;
        const double normalized = (static_cast<double>(from[j]) - moments.mean) * inverses.back();
        to[j] = static_cast<T>(normalized * scale[i % scale.size()] + bias[i % bias.size()]);
      }
    }
    return absl::OkStatus();
  }));
  RETURN_IF_ERROR(StoreStatistics(context, 1, axis, means));
  return StoreStatistics(context, 2, axis, inverses);
}

}  // namespace

OpDef LayerNormalization() {
  return {.name = "LayerNormalization",
          .since = 17,
          .min_inputs = 2,
          .max_inputs = 3,
          .max_outputs = 3,
          .attributes = {{"axis", AttributeKind::kInt},
                         {"epsilon", AttributeKind::kFloat},
                         {"stash_type", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
