#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/recurrent.h"

namespace inferd::ops::onnx {
namespace {

template <typename Acc>
void Step(const RecurrentDirection<Acc>& direction, int64_t batch, int64_t hidden, const Acc* xw,
          std::vector<std::vector<Acc>>* states) {
  std::vector<Acc> sums(xw, xw + batch * hidden);
  std::vector<Acc>& h = (*states)[0];
  AddMatrixProduct(batch, hidden, hidden, h.data(), direction.r.data(), sums.data());
  for (int64_t i = 0; i < batch * hidden; ++i) {
    const Acc bias = direction.w_bias[i % hidden] + direction.r_bias[i % hidden];
    h[i] = static_cast<Acc>(direction.activations[0](direction.Clip(sums[i] + bias)));
  }
}

absl::Status Infer(InferContext& context) { return InferRecurrent(context, RnnKind()); }

absl::Status Compute(KernelContext& context) {
  return ComputeRecurrent(context, RnnKind(), Step<float>, Step<double>);
}

}  // namespace

OpDef Rnn() {
  return {.name = "RNN",
          .since = 22,
          .min_inputs = 3,
          .max_inputs = 6,
          .min_outputs = 0,
          .max_outputs = 2,
          .attributes = {{"activation_alpha", AttributeKind::kFloats},
                         {"activation_beta", AttributeKind::kFloats},
                         {"activations", AttributeKind::kStrings},
                         {"clip", AttributeKind::kFloat},
                         {"direction", AttributeKind::kString},
                         {"hidden_size", AttributeKind::kInt},
                         {"layout", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
