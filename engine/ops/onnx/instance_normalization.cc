#include <cmath>

#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 3));
  return InferSameAsFirst(context);
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 3));
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  ASSIGN_OR_RETURN(const std::vector<double> scale, ToDoubles(context.input(1)));
  ASSIGN_OR_RETURN(const std::vector<double> bias, ToDoubles(context.input(2)));
  const int64_t plane = x.shape().Product(2, x.rank());
  const double epsilon = context.attributes().Float("epsilon", 1e-5f);
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t p = 0; p < x.dim(0) * x.dim(1); ++p) {
      const int64_t c = p % x.dim(1);
      const T* from = x.data<T>() + p * plane;
      T* to = y->mutable_data<T>() + p * plane;
      const Moments moments = MomentsOf(from, plane);
      const double factor = scale[c] / std::sqrt(moments.variance + epsilon);
      for (int64_t i = 0; i < plane; ++i) {
        to[i] = static_cast<T>((static_cast<double>(from[i]) - moments.mean) * factor + bias[c]);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef InstanceNormalization() {
  return {.name = "InstanceNormalization",
          .since = 22,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"epsilon", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
