#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"
#include "engine/ops/recurrent.h"

namespace inferd::ops::onnx {
namespace {

// Gates lie in the order input, output, forget, cell.
template <typename Acc>
void Step(bool input_forget, const RecurrentDirection<Acc>& direction, int64_t batch,
          int64_t hidden, const Acc* xw, std::vector<std::vector<Acc>>* states) {
  std::vector<Acc> gates(xw, xw + batch * 4 * hidden);
  std::vector<Acc>& h = (*states)[0];
  std::vector<Acc>& c = (*states)[1];
  AddMatrixProduct(batch, 4 * hidden, hidden, h.data(), direction.r.data(), gates.data());
  const RecurrentActivation& f = direction.activations[0];
  const RecurrentActivation& g = direction.activations[1];
  const RecurrentActivation& squash = direction.activations[2];
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t j = 0; j < hidden; ++j) {
      const auto gate = [&](int64_t k) {
        const int64_t at = k * hidden + j;
        return gates[n * 4 * hidden + at] + direction.w_bias[at] + direction.r_bias[at];
      };
      const auto peephole = [&](int64_t k) { return direction.peepholes[k * hidden + j]; };
      Acc& cell = c[n * hidden + j];
      const double input = f(direction.Clip(gate(0) + peephole(0) * cell));
      const double forget =
          input_forget ? 1 - input : f(direction.Clip(gate(2) + peephole(2) * cell));
      const double candidate = g(direction.Clip(gate(3)));
      cell = static_cast<Acc>(forget * cell + input * candidate);
      const double output = f(direction.Clip(gate(1) + peephole(1) * cell));
      h[n * hidden + j] = static_cast<Acc>(output * squash(cell));
    }
  }
}

absl::Status Infer(InferContext& context) { return InferRecurrent(context, LstmKind()); }

absl::Status Compute(KernelContext& context) {
  const bool input_forget = context.attributes().Int("input_forget", 0) != 0;
  const auto step = [input_forget](const auto& direction, int64_t batch, int64_t hidden,
                                   const auto* xw, auto* states) {
    Step(input_forget, direction, batch, hidden, xw, states);
  };
  return ComputeRecurrent(context, LstmKind(), step, step);
}

}  // namespace

OpDef Lstm() {
  return {.name = "LSTM",
          .since = 22,
          .min_inputs = 3,
          .max_inputs = 8,
          .min_outputs = 0,
          .max_outputs = 3,
          .attributes = {{"activation_alpha", AttributeKind::kFloats},
                         {"activation_beta", AttributeKind::kFloats},
                         {"activations", AttributeKind::kStrings},
                         {"clip", AttributeKind::kFloat},
                         {"direction", AttributeKind::kString},
                         {"hidden_size", AttributeKind::kInt},
                         {"input_forget", AttributeKind::kInt},
                         {"layout", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
