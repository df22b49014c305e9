#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckGroups(int64_t groups, const Dim& channels) {
  if (groups >= 1 && (!channels.known() || channels.value % groups == 0)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("attribute num_groups is ", groups, " for ", channels.value, " channels"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 3));
  const SymbolicShape& x = context.shape(0);
  RETURN_IF_ERROR(
      CheckGroups(context.attributes().Int("num_groups", 0), x.has_rank() ? x[1] : Dim::Unknown()));
  return InferSameAsFirst(context);
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckChannelParameters(context, 1, 3));
  const Tensor& x = context.input(0);
  const int64_t groups = context.attributes().Int("num_groups", 0);
  RETURN_IF_ERROR(CheckGroups(groups, Dim(x.dim(1))));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  ASSIGN_OR_RETURN(const std::vector<double> scale, ToDoubles(context.input(1)));
  ASSIGN_OR_RETURN(const std::vector<double> bias, ToDoubles(context.input(2)));
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t plane = x.shape().Product(2, x.rank());
  const int64_t channels = x.dim(1) / groups;
  const double epsilon = context.attributes().Float("epsilon", 1e-5f);
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t g = 0; g < x.dim(0) * groups; ++g) {
      const T* from = x.data<T>() + g * channels * plane;
      T* to = y->mutable_data<T>() + g * channels * plane;
      const Moments moments = MomentsOf(from, channels * plane);
      const double inverse = 1 / std::sqrt(moments.variance + epsilon);
      for (int64_t i = 0; i < channels * plane; ++i) {
        const int64_t c = g % groups * channels + i / plane;
        const double normalized = (static_cast<double>(from[i]) - moments.mean) * inverse;
        to[i] = static_cast<T>(normalized * scale[c] + bias[c]);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef GroupNormalization() {
  return {.name = "GroupNormalization",
          .since = 21,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"epsilon", AttributeKind::kFloat},
                         {"num_groups", AttributeKind::kInt, true},
                         {"stash_type", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
