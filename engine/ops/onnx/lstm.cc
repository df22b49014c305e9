#include "engine/ops/lstm_cell.h"
#include "engine/ops/matmul.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

template <typename Acc>
void Step(bool input_forget, const RecurrentDirection<Acc>& direction, int64_t batch,
          int64_t hidden, const Acc* xw, std::vector<std::vector<Acc>>* states) {
  std::vector<Acc> gates(xw, xw + batch * 4 * hidden);
  AddMatrixProduct(batch, 4 * hidden, hidden, (*states)[0].data(), direction.r.data(),
                   gates.data());
  ApplyLstmCell(input_forget, direction, batch, hidden, gates, states);
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
