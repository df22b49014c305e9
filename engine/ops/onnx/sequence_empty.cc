#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType dtype, ReadDType(context.attributes(), "dtype", DType::kFloat32));
  context.SetOutput(0, ValueType::OfSequence(ValueType::OfTensor(dtype, SymbolicShape())));
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
