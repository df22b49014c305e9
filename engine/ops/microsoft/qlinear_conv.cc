#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/channels_last.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

bool IsChannelsLast(const Attributes& attributes) {
  return attributes.Int("channels_last", 0) != 0;
}

absl::Status Infer(InferContext& context) {
  std::vector<const ValueType*> types;
  for (int i = 0; i < context.num_inputs(); ++i) {
    types.push_back(context.has_input(i) ? &context.input_type(i) : nullptr);
  }
  ValueType x = context.input_type(0);
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(x.shape, ChannelsFirst(x.shape));
  }
  types[0] = &x;
  ASSIGN_OR_RETURN(ValueType y, InferNested("QLinearConv", context.attributes(), types));
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(y.shape, ChannelsLast(y.shape));
  }
  context.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<const Tensor*> inputs;
  for (int i = 0; i < context.num_inputs(); ++i) {
    inputs.push_back(context.has_input(i) ? &context.input(i) : nullptr);
  }
  const int64_t limit_bytes = context.limit_bytes();
  Tensor x = context.input(0);
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(x, ChannelsFirst(x, limit_bytes));
  }
  inputs[0] = &x;
  ASSIGN_OR_RETURN(Tensor y,
                   ComputeNested("QLinearConv", context.attributes(), inputs, limit_bytes));
  if (IsChannelsLast(context.attributes())) {
    ASSIGN_OR_RETURN(y, ChannelsLast(y, limit_bytes));
  }
  return StoreOutput(context, 0, y);
}

}  // namespace

OpDef QlinearConv() {
  return {.domain = "com.microsoft",
          .name = "QLinearConv",
          .min_inputs = 8,
          .max_inputs = 9,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"channels_last", AttributeKind::kInt},
                         {"dilations", AttributeKind::kInts},
                         {"group", AttributeKind::kInt},
                         {"kernel_shape", AttributeKind::kInts},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
