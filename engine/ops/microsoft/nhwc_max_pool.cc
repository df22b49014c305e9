#include "engine/core/status_macros.h"
#include "engine/ops/channels_last.h"
#include "engine/ops/nested_op.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::microsoft {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kInt8, DType::kUint8}));
  ValueType x = context.input_type(0);
  ASSIGN_OR_RETURN(x.shape, ChannelsFirst(x.shape));
  ASSIGN_OR_RETURN(ValueType y, InferNested("MaxPool", context.attributes(), {&x}));
  ASSIGN_OR_RETURN(y.shape, ChannelsLast(y.shape));
  context.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const int64_t limit_bytes = context.limit_bytes();
  ASSIGN_OR_RETURN(const Tensor x, ChannelsFirst(context.input(0), limit_bytes));
  ASSIGN_OR_RETURN(Tensor y, ComputeNested("MaxPool", context.attributes(), {&x}, limit_bytes));
  ASSIGN_OR_RETURN(y, ChannelsLast(y, limit_bytes));
  return StoreOutput(context, 0, y);
}

}  // namespace

OpDef NhwcMaxPool() {
  return {.domain = "com.microsoft",
          .name = "NhwcMaxPool",
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"ceil_mode", AttributeKind::kInt},
                         {"dilations", AttributeKind::kInts},
                         {"kernel_shape", AttributeKind::kInts, true},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
