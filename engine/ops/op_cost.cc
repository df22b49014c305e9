#include "engine/ops/op_cost.h"

#include <algorithm>

#include "engine/graph/op_def.h"

namespace inferd {
namespace {

// The tensors of one use. A null pointer stands for what is absent.
struct Operands : OpUse {
  const Tensor* input(int i) const {
    return i >= 0 && i < num_op_inputs && i < static_cast<int>(inputs.size()) ? inputs[i] : nullptr;
  }
  const Tensor* output(int i) const {
    return i < static_cast<int>(outputs.size()) ? outputs[i] : nullptr;
  }
};

double Elements(const Tensor* tensor) {
  return tensor == nullptr || tensor->kind() != ValueKind::kTensor
             ? 0
             : static_cast<double>(tensor->num_elements());
}

// Dimension `from_end` from the end (1 is the last); 0 where there is none.
double DimFromEnd(const Tensor* tensor, int from_end) {
  return tensor == nullptr || tensor->rank() < from_end
             ? 0
             : static_cast<double>(tensor->dim(tensor->rank() - from_end));
}

double PerFirstDim(const Tensor* weights) {
  const double first = weights == nullptr ? 0 : DimFromEnd(weights, weights->rank());
  return first == 0 ? 0 : Elements(weights) / first;
}

// Every output element is a sum over A's inner dimension.
double ProductFlops(const Operands& operands, int a) {
  const Attributes& attributes = operands.attributes;
  const bool transposed = attributes.Int("transA", 0) != 0;
  return 2 * Elements(operands.output(0)) * DimFromEnd(operands.input(a), transposed ? 2 : 1);
}

// Every output element is a sum over one filter.
double ConvolutionFlops(const Operands& operands, int weights) {
  return 2 * Elements(operands.output(0)) * PerFirstDim(operands.input(weights));
}

// Likewise after each of its pixels was made from as many numbers as X has channels.
double ExpandedConvolutionFlops(const Operands& operands, int weights) {
  const Tensor* x = operands.input(0);
  const double pixels = x == nullptr || DimFromEnd(x, 3) == 0 ? 0 : Elements(x) / DimFromEnd(x, 3);
  return 2 * pixels * Elements(operands.input(1)) + ConvolutionFlops(operands, weights);
}

// Every input element is added, weighted, to as many outputs as its channel's filters have taps.
double TransposedConvolutionFlops(const Operands& operands, int weights) {
  return 2 * Elements(operands.input(0)) * PerFirstDim(operands.input(weights));
}

// Each row of Q meets every key and each row of Y is a sum over every value, masked or not.
double AttentionFlops(double q, double y, double keys) { return 2 * keys * (q + y); }

double OnnxAttentionFlops(const Operands& operands, int past_key) {
  const double keys = DimFromEnd(operands.input(1), 2) + DimFromEnd(operands.input(past_key), 2);
  return AttentionFlops(Elements(operands.input(0)), Elements(operands.output(0)), keys);
}

// Keys are [batch,keys,...] or, of rank 4, [batch,heads,keys,size]; without them the query holds
// all three.
double MultiHeadAttentionFlops(const Operands& operands, int past_key) {
  const Tensor* query = operands.input(0);
  const Tensor* keys = operands.input(1) == nullptr ? query : operands.input(1);
  if (keys == nullptr) return 0;
  const double count = DimFromEnd(keys, keys->rank() == 4 ? 2 : keys->rank() - 1) +
                       DimFromEnd(operands.input(past_key), 2);
  const double q = Elements(query) / (keys == query ? 3 : 1);
  return AttentionFlops(q, Elements(operands.output(0)), count);
}

double GroupQueryAttentionFlops(const Operands& operands, int past_key) {
  const double rows = operands.input(0) == nullptr ? 0 : DimFromEnd(operands.input(0), 2);
  const double present = DimFromEnd(operands.output(1), 2);
  const double keys =
      present > 0 ? present : std::max(rows, DimFromEnd(operands.input(past_key), 2));
  const double y = Elements(operands.output(0));
  return AttentionFlops(y, y, keys);
}

double ProjectedAttentionFlops(const Operands& operands, int past) {
  const double columns = DimFromEnd(operands.input(1), 1);
  const double keys = DimFromEnd(operands.input(0), 2) + DimFromEnd(operands.input(past), 2);
  const double y = Elements(operands.output(0));
  return 2 * Elements(operands.input(0)) * columns + AttentionFlops(y, y, keys);
}

// X is [steps,batch,size] or with the first two exchanged; W and R hold all gates' weights.
double RecurrentFlops(const Operands& operands, int weights) {
  const double rows = DimFromEnd(operands.input(0), 3) * DimFromEnd(operands.input(0), 2);
  return 2 * rows * (Elements(operands.input(weights)) + Elements(operands.input(weights + 1)));
}

double NBitsProductFlops(const Operands& operands, int a) {
  return 2 * Elements(operands.output(0)) * DimFromEnd(operands.input(a), 1);
}

// What the operators with much arithmetic cost; `input` is what the function asks for.
struct CostRule {
  absl::string_view domain;
  absl::string_view op;
  double (*flops)(const Operands& operands, int input);
  int input;
};

constexpr absl::string_view kMicrosoft = "com.microsoft";

constexpr CostRule kRules[] = {
    {"", "MatMul", ProductFlops, 0},
    {"", "Gemm", ProductFlops, 0},
    {"", "MatMulInteger", ProductFlops, 0},
    {"", "QLinearMatMul", ProductFlops, 0},
    {"inferd", "ScaledMatMul", ProductFlops, 0},
    {kMicrosoft, "FusedMatMul", ProductFlops, 0},
    {kMicrosoft, "FusedGemm", ProductFlops, 0},
    {kMicrosoft, "MatMulIntegerToFloat", ProductFlops, 0},
    {kMicrosoft, "DynamicQuantizeMatMul", ProductFlops, 0},
    {kMicrosoft, "QGemm", ProductFlops, 0},
    {kMicrosoft, "MatMulNBits", NBitsProductFlops, 0},
    {"", "Conv", ConvolutionFlops, 1},
    {"inferd", "JoinedConv", ConvolutionFlops, 0},
    {"inferd", "PooledConv", ConvolutionFlops, 1},
    {"inferd", "ExpandedConv", ExpandedConvolutionFlops, 3},
    {"", "ConvInteger", ConvolutionFlops, 1},
    {"", "QLinearConv", ConvolutionFlops, 3},
    {"", "DeformConv", ConvolutionFlops, 1},
    {kMicrosoft, "FusedConv", ConvolutionFlops, 1},
    {kMicrosoft, "QLinearConv", ConvolutionFlops, 3},
    {"", "ConvTranspose", TransposedConvolutionFlops, 1},
    {"", "Attention", OnnxAttentionFlops, 4},
    {kMicrosoft, "MultiHeadAttention", MultiHeadAttentionFlops, 6},
    {kMicrosoft, "GroupQueryAttention", GroupQueryAttentionFlops, 3},
    {kMicrosoft, "Attention", ProjectedAttentionFlops, 4},
    {kMicrosoft, "QAttention", ProjectedAttentionFlops, 8},
    {"", "LSTM", RecurrentFlops, 1},
    {"", "GRU", RecurrentFlops, 1},
    {"", "RNN", RecurrentFlops, 1},
    {kMicrosoft, "DynamicQuantizeLSTM", RecurrentFlops, 1},
};

// Of its first input such an operator reads no more bytes than it writes.
bool ReadsOnlyWhatItWrites(const OpDef& op) {
  constexpr absl::string_view kNames[] = {"Gather", "GatherElements", "GatherND", "Slice"};
  return std::find(std::begin(kNames), std::end(kNames), op.name) != std::end(kNames);
}

void AddTensor(const Tensor* tensor, std::vector<const Tensor*>* tensors) {
  if (tensor == nullptr || tensor->kind() != ValueKind::kTensor) return;
  if (std::find(tensors->begin(), tensors->end(), tensor) != tensors->end()) return;
  tensors->push_back(tensor);
}

}  // namespace

double OpFlops(const OpUse& use) {
  for (const CostRule& rule : kRules) {
    if (rule.op != use.op.name || rule.domain != use.op.domain) continue;
    return rule.flops({use}, rule.input);
  }
  return 0;
}

int64_t OpBytes(const OpUse& use) {
  std::vector<const Tensor*> tensors;
  for (const Tensor* input : use.inputs) AddTensor(input, &tensors);
  for (const Tensor* output : use.outputs) AddTensor(output, &tensors);
  int64_t bytes = 0;
  for (const Tensor* tensor : tensors) {
    const bool picks = !use.inputs.empty() && tensor == use.inputs[0] &&
                       ReadsOnlyWhatItWrites(use.op) && !use.outputs.empty() &&
                       use.outputs[0] != nullptr;
    bytes +=
        picks ? std::min(tensor->byte_size(), use.outputs[0]->byte_size()) : tensor->byte_size();
  }
  return bytes;
}

}  // namespace inferd
