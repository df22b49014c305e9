#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/recurrent.h"

namespace inferd::ops::onnx {
namespace {

// h r_h for the rows of h, where r_h is the hidden gate's part of the recurrent weights.
template <typename Acc>
std::vector<Acc> HiddenProduct(const RecurrentDirection<Acc>& direction, int64_t batch,
                               int64_t hidden, const std::vector<Acc>& h) {
  std::vector<Acc> all(batch * 3 * hidden, Acc(0));
  AddMatrixProduct(batch, 3 * hidden, hidden, h.data(), direction.r.data(), all.data());
  std::vector<Acc> part;
  for (int64_t n = 0; n < batch; ++n) {
    const auto from = all.begin() + (n * 3 + 2) * hidden;
    part.insert(part.end(), from, from + hidden);
  }
  return part;
}

// Gates lie in the order update, reset, hidden.
template <typename Acc>
void Step(bool linear_before_reset, const RecurrentDirection<Acc>& direction, int64_t batch,
          int64_t hidden, const Acc* xw, std::vector<std::vector<Acc>>* states) {
  std::vector<Acc>& h = (*states)[0];
  std::vector<Acc> hr(batch * 3 * hidden, Acc(0));
  AddMatrixProduct(batch, 3 * hidden, hidden, h.data(), direction.r.data(), hr.data());
  const RecurrentActivation& f = direction.activations[0];
  const RecurrentActivation& g = direction.activations[1];
  const auto gate = [&](int64_t n, int64_t k, int64_t j) {
    const int64_t at = k * hidden + j;
    return f(direction.Clip(xw[n * 3 * hidden + at] + hr[n * 3 * hidden + at] +
                            direction.w_bias[at] + direction.r_bias[at]));
  };
  std::vector<Acc> reset_h(batch * hidden);
  for (int64_t i = 0; i < batch * hidden; ++i) {
    reset_h[i] = static_cast<Acc>(gate(i / hidden, 1, i % hidden) * h[i]);
  }
  std::vector<Acc> reset_product;
  if (!linear_before_reset) reset_product = HiddenProduct(direction, batch, hidden, reset_h);
  for (int64_t i = 0; i < batch * hidden; ++i) {
    const int64_t n = i / hidden, j = i % hidden, at = 2 * hidden + j;
    const double linear = xw[n * 3 * hidden + at] + direction.w_bias[at];
    const double recurrent = linear_before_reset
                                 ? gate(n, 1, j) * (hr[n * 3 * hidden + at] + direction.r_bias[at])
                                 : double{reset_product[i]} + direction.r_bias[at];
    const double candidate = g(direction.Clip(linear + recurrent));
    const double update = gate(n, 0, j);
    h[i] = static_cast<Acc>((1 - update) * candidate + update * h[i]);
  }
}

absl::Status Infer(InferContext& context) { return InferRecurrent(context, GruKind()); }

absl::Status Compute(KernelContext& context) {
  const bool linear_before_reset = context.attributes().Int("linear_before_reset", 0) != 0;
  const auto step = [linear_before_reset](const auto& direction, int64_t batch, int64_t hidden,
                                          const auto* xw, auto* states) {
    Step(linear_before_reset, direction, batch, hidden, xw, states);
  };
  return ComputeRecurrent(context, GruKind(), step, step);
}

}  // namespace

OpDef Gru() {
  return {.name = "GRU",
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
                         {"layout", AttributeKind::kInt},
                         {"linear_before_reset", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
