#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const int64_t time_axis = context.attributes().Int("time_axis", 0);
  const int64_t batch_axis = context.attributes().Int("batch_axis", 1);
  if (x.rank() < 2 || std::min(time_axis, batch_axis) != 0 ||
      std::max(time_axis, batch_axis) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("time axis ", time_axis, " and batch axis ",
                                                   batch_axis, " of ", x.TypeString(),
                                                   ", expected axes 0 and 1"));
  }
  const int64_t times = x.dim(static_cast<int>(time_axis));
  const int64_t batches = x.dim(static_cast<int>(batch_axis));
  ASSIGN_OR_RETURN(const std::vector<int64_t> lengths, context.input(1).ToInt64s());
  if (static_cast<int64_t>(lengths.size()) != batches) {
    return absl::InvalidArgumentError(
        absl::StrCat("sequence_lens has ", lengths.size(), " entries for a batch of ", batches));
  }
  for (int64_t length : lengths) {
    if (length < 0 || length > times) {
      return absl::InvalidArgumentError(
          absl::StrCat("sequence length ", length, " is outside [0,", times, "]"));
    }
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  if (x.num_elements() == 0) return absl::OkStatus();
  const int64_t inner = x.shape().Product(2, x.rank());
  const int64_t time_stride = time_axis == 0 ? batches * inner : inner;
  const int64_t batch_stride = time_axis == 0 ? inner : times * inner;
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t t = 0; t < times; ++t) {
      const int64_t from = t < lengths[b] ? lengths[b] - 1 - t : t;
      CopyElements(x, b * batch_stride + from * time_stride, y, b * batch_stride + t * time_stride,
                   inner);
    }
  }
  return absl::OkStatus();
}

}  // namespace

OpDef ReverseSequence() {
  return {.name = "ReverseSequence",
          .since = 28,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"batch_axis", AttributeKind::kInt}, {"time_axis", AttributeKind::kInt}},
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
