#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const int64_t dtype = context.attributes().Int("dtype", static_cast<int64_t>(DType::kFloat32));
  if (dtype <= 0 || dtype > INT8_MAX || !IsKnownDType(static_cast<int>(dtype))) {
    return absl::InvalidArgumentError(absl::StrCat("dtype is ", dtype, ", no element type"));
  }
  context.SetOutput(
      0, ValueType::OfSequence(ValueType::OfTensor(static_cast<DType>(dtype), SymbolicShape())));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) { return context.SetOutput(0, Tensor::Sequence({})); }

}  // namespace

OpDef SequenceEmpty() {
  return {.name = "SequenceEmpty",
          .since = 11,
          .min_inputs = 0,
          .max_inputs = 0,
          .attributes = {{"dtype", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
