#include "engine/ops/dequantized_op.h"

#include <utility>

#include "engine/core/status_macros.h"
#include "engine/ops/channels_last.h"
#include "engine/ops/nested_op.h"

namespace inferd {
namespace {

bool IsChannelsLast(const Attributes& attributes) {
  return attributes.Int("channels_last", 0) != 0;
}

}  // namespace

absl::Status InferDequantized(InferContext& context, const DequantizedOp& definition) {
  std::vector<ValueType> types;
  for (const QuantizedInput& input : definition.inputs) {
    RETURN_IF_ERROR(CheckQuantizedInput(context, input));
    types.push_back(ValueType::OfTensor(DType::kFloat32, context.shape(input.value)));
  }
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(types[0].shape, ChannelsFirst(types[0].shape));
  }
  std::vector<const ValueType*> pointers;
  for (const ValueType& type : types) pointers.push_back(&type);
  ASSIGN_OR_RETURN(ValueType result,
                   InferNested(definition.op, context.attributes(), std::move(pointers)));
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(result.shape, ChannelsLast(result.shape));
  }
  return SetQuantizedOutput(context, definition.output_scale, definition.output_zero_point,
                            context.dtype(definition.inputs[0].value), std::move(result.shape));
}

absl::Status ComputeDequantized(KernelContext& context, const DequantizedOp& definition) {
  const int64_t limit_bytes = context.limit_bytes();
  std::vector<Tensor> inputs;
  for (const QuantizedInput& input : definition.inputs) {
    ASSIGN_OR_RETURN(Tensor floats, Dequantize(context, input));
    inputs.push_back(std::move(floats));
  }
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(inputs[0], ChannelsFirst(inputs[0], limit_bytes));
  }
  std::vector<const Tensor*> pointers;
  for (const Tensor& input : inputs) pointers.push_back(&input);
  ASSIGN_OR_RETURN(Tensor result,
                   ComputeNested(definition.op, context.attributes(), pointers, limit_bytes));
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(result, ChannelsLast(result, limit_bytes));
  }
  return StoreQuantized(context, result, definition.output_scale, definition.output_zero_point,
                        context.input(definition.inputs[0].value).dtype());
}

OpDef DequantizedDef(OpDef def, DequantizedOp definition) {
  def.infer = [definition](InferContext& context) { return InferDequantized(context, definition); };
  def.compute = [definition = std::move(definition)](KernelContext& context) {
    return ComputeDequantized(context, definition);
  };
  return def;
}

DequantizedOp UnaryDequantizedOp(absl::string_view op) {
  enum { kX, kXScale, kXZero, kYScale, kYZero };
  return {.op = op,
          .inputs = {{kX, kXScale, kXZero}},
          .output_scale = kYScale,
          .output_zero_point = kYZero};
}

DequantizedOp BinaryDequantizedOp(absl::string_view op) {
  enum { kA, kAScale, kAZero, kB, kBScale, kBZero, kCScale, kCZero };
  return {.op = op,
          .inputs = {{kA, kAScale, kAZero}, {kB, kBScale, kBZero}},
          .output_scale = kCScale,
          .output_zero_point = kCZero};
}

}  // namespace inferd
