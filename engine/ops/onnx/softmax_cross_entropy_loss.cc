#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/class_loss.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(InferClassLoss(context));
  context.SetOutput(1, context.input_type(0));
  return absl::OkStatus();
}

// Log of the softmax over dimension 1 of [outer, classes, inner].
template <typename Acc, typename T>
std::vector<Acc> LogSoftmaxOf(const T* scores, int64_t outer, int64_t classes, int64_t inner) {
  std::vector<Acc> result;
  result.reserve(outer * classes * inner);
  for (int64_t i = 0; i < outer * classes * inner; ++i)
    result.push_back(static_cast<Acc>(scores[i]));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < inner; ++i) {
      Acc* line = result.data() + o * classes * inner + i;
      Acc maximum = line[0];
      for (int64_t c = 1; c < classes; ++c) maximum = std::max(maximum, line[c * inner]);
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) sum += std::exp(line[c * inner] - maximum);
      const Acc log_sum = static_cast<Acc>(std::log(sum));
      for (int64_t c = 0; c < classes; ++c) line[c * inner] = line[c * inner] - maximum - log_sum;
    }
  }
  return result;
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("scores have shape ", x.shape().ToString(), ", expected [N,C,...]"));
  }
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = AccumulatorOf<T>;
    std::vector<Acc> log_prob;
    if (x.num_elements() > 0) {
      log_prob = LogSoftmaxOf<Acc>(x.data<T>(), x.dim(0), x.dim(1), x.shape().Product(2, x.rank()));
    }
    if (context.wants_output(1)) {
      ASSIGN_OR_RETURN(Tensor * y, context.Output(1, x.dtype(), x.shape()));
      std::transform(log_prob.begin(), log_prob.end(), y->mutable_data<T>(),
                     [](Acc value) { return static_cast<T>(value); });
    }
    return context.wants_output(0) ? ComputeClassLoss<T>(context, log_prob.data())
                                   : absl::OkStatus();
  });
}

}  // namespace

OpDef SoftmaxCrossEntropyLoss() {
  return {
      .name = "SoftmaxCrossEntropyLoss",
      .since = 13,
      .min_inputs = 2,
      .max_inputs = 3,
      .max_outputs = 2,
      .attributes = {{"ignore_index", AttributeKind::kInt}, {"reduction", AttributeKind::kString}},
      .infer = Infer,
      .compute = Compute};
}

}  // namespace inferd::ops::onnx
