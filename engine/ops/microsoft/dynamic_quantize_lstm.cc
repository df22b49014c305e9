#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/lstm_cell.h"
#include "engine/ops/matmul.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/quantization.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

// The first eight are LSTM's, with W [D,I,4*H] and R [D,H,4*H].
enum Input { kX, kW, kR, kB, kLengths, kInitialH, kInitialC, kPeepholes };
enum Parameter { kWScale = kPeepholes + 1, kWZero, kRScale, kRZero };
constexpr int kLstmInputs = kWScale;
constexpr int kOutputs = 3;

absl::Status CheckWeights(const InferContext& context, int weights, int scale, int zero_point) {
  RETURN_IF_ERROR(CheckInputType(context, weights, {DType::kInt8, DType::kUint8}));
  RETURN_IF_ERROR(CheckSameTypes(context, {weights, zero_point}));
  RETURN_IF_ERROR(CheckInputType(context, scale, {DType::kFloat32}));
  const SymbolicShape& shape = context.shape(weights);
  if (!shape.IsConcrete() || shape.rank() != 3) return absl::OkStatus();  // LSTM's rule checks it
  for (int i : {scale, zero_point}) {
    if (!context.shape(i).IsConcrete()) continue;
    const int64_t count = context.shape(i).ToShape().num_elements();
    if (count == shape[0].value || count == shape[0].value * shape[2].value) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "input ", i, " has shape ", context.shape(i).ToString(),
        ", expected one value a direction, or one for each column of ", shape.ToString()));
  }
  return absl::OkStatus();
}

SymbolicShape Exchanged(SymbolicShape shape) {
  if (shape.rank() == 3) std::swap(shape[1], shape[2]);
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kX, {DType::kFloat32}));
  for (int i = kWScale; i <= kRZero; ++i) {
    if (!context.has_input(i)) return absl::InvalidArgumentError("scale or zero point is absent");
  }
  RETURN_IF_ERROR(CheckWeights(context, kW, kWScale, kWZero));
  RETURN_IF_ERROR(CheckWeights(context, kR, kRScale, kRZero));
  const ValueType w = ValueType::OfTensor(DType::kFloat32, Exchanged(context.shape(kW)));
  const ValueType r = ValueType::OfTensor(DType::kFloat32, Exchanged(context.shape(kR)));
  std::vector<const ValueType*> types(kLstmInputs, nullptr);
  for (int i = 0; i < kLstmInputs; ++i) {
    if (context.has_input(i)) types[i] = &context.input_type(i);
  }
  types[kW] = &w;
  types[kR] = &r;
  InferContext lstm(context.node(), std::move(types),
                    std::vector<const Tensor*>(kLstmInputs, nullptr));
  RETURN_IF_ERROR(InferRecurrent(lstm, LstmKind()));
  for (int i = 0; i < context.num_outputs(); ++i) context.SetOutput(i, lstm.output_type(i));
  return absl::OkStatus();
}

// Weights [D,rows,columns] as floats [D,columns,rows], which is how LSTM takes them.
absl::StatusOr<Tensor> DequantizedWeights(const KernelContext& context, int input, int scale,
                                          int zero_point) {
  const Tensor& weights = context.input(input);
  const int64_t rows = weights.dim(1), columns = weights.dim(2);
  ASSIGN_OR_RETURN(const std::vector<double> scales, ToDoubles(context.input(scale)));
  ASSIGN_OR_RETURN(const std::vector<double> zeros, ToDoubles(context.input(zero_point)));
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(DType::kFloat32, {weights.dim(0), columns, rows},
                                                   Layout::kRowMajor, context.limit_bytes()));
  const bool is_signed = weights.dtype() == DType::kInt8;
  for (int64_t i = 0; i < weights.num_elements(); ++i) {
    const int64_t direction = i / (rows * columns), row = i / columns % rows, column = i % columns;
    const auto parameter = [&](const std::vector<double>& values) {
      const bool by_column = static_cast<int64_t>(values.size()) != weights.dim(0);
      return values[by_column ? direction * columns + column : direction];
    };
    const double value = is_signed ? weights.data<int8_t>()[i] : weights.data<uint8_t>()[i];
    result.mutable_data<float>()[(direction * columns + column) * rows + row] =
        static_cast<float>((value - parameter(zeros)) * parameter(scales));
  }
  return result;
}

// Each value becomes the nearest that DynamicQuantizeLinear can tell apart.
template <typename Acc>
void RoundToQuanta(Acc* values, int64_t count) {
  const std::vector<float> floats(values, values + count);
  const UnsignedQuantization quantization = QuantizationOfRange(floats);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t quantum = QuantizeUnsigned(floats[i], quantization);
    values[i] = static_cast<Acc>(quantum - quantization.zero_point) * quantization.scale;
  }
}

// X with the steps that any sequence has rounded; they are quantized as one matrix.
absl::StatusOr<Tensor> RoundedX(const KernelContext& context) {
  ASSIGN_OR_RETURN(Tensor x, context.input(kX).Clone());
  int64_t steps = x.dim(0);
  if (context.has_input(kLengths)) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> lengths, context.input(kLengths).ToInt64s());
    steps = 0;
    for (int64_t length : lengths) steps = std::clamp<int64_t>(length, steps, x.dim(0));
  }
  RoundToQuanta(x.mutable_data<float>(), steps * x.dim(1) * x.dim(2));
  return x;
}

// Products of 8-bit integers are exact in the floats that stand for them.
absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor x, RoundedX(context));
  ASSIGN_OR_RETURN(const Tensor w, DequantizedWeights(context, kW, kWScale, kWZero));
  ASSIGN_OR_RETURN(const Tensor r, DequantizedWeights(context, kR, kRScale, kRZero));
  std::vector<const Tensor*> inputs(kLstmInputs, nullptr);
  for (int i = 0; i < kLstmInputs; ++i) {
    if (context.has_input(i)) inputs[i] = &context.input(i);
  }
  inputs[kX] = &x;
  inputs[kW] = &w;
  inputs[kR] = &r;
  Tensor results[kOutputs];
  Tensor* outputs[kOutputs] = {};
  for (int i = 0; i < kOutputs; ++i) outputs[i] = context.wants_output(i) ? &results[i] : nullptr;
  KernelContext lstm(context.attributes(), inputs, outputs, false, context.limit_bytes());
  const bool input_forget = context.attributes().Int("input_forget", 0) != 0;
  const auto step = [input_forget](const auto& direction, int64_t batch, int64_t hidden,
                                   const auto* xw, auto* states) {
    auto rounded = (*states)[0];
    RoundToQuanta(rounded.data(), batch * hidden);
    auto gates = rounded;
    gates.assign(xw, xw + batch * 4 * hidden);
    AddMatrixProduct(batch, 4 * hidden, hidden, rounded.data(), direction.r.data(), gates.data());
    ApplyLstmCell(input_forget, direction, batch, hidden, gates, states);
  };
  RETURN_IF_ERROR(ComputeRecurrent(lstm, LstmKind(), step, step));
  for (int i = 0; i < kOutputs; ++i) {
    if (outputs[i] != nullptr) RETURN_IF_ERROR(StoreOutput(context, i, results[i]));
  }
  return absl::OkStatus();
}

}  // namespace

OpDef DynamicQuantizeLstm() {
  return {.domain = "com.microsoft",
          .name = "DynamicQuantizeLSTM",
          .min_inputs = 3,
          .max_inputs = 12,
          .min_outputs = 0,
          .max_outputs = 3,
          .attributes = {{"activation_alpha", AttributeKind::kFloats},
                         {"activation_beta", AttributeKind::kFloats},
                         {"activations", AttributeKind::kStrings},
                         {"clip", AttributeKind::kFloat},
                         {"direction", AttributeKind::kString},
                         {"hidden_size", AttributeKind::kInt},
                         {"input_forget", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
