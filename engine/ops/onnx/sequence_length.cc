#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/sequence.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, DType::kInt64, SymbolicShape::Scalar());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckSequence(context, 0));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt64, Shape()));
  *y->mutable_data<int64_t>() = static_cast<int64_t>(context.input(0).elements().size());
  return absl::OkStatus();
}

}  // namespace

OpDef SequenceLength() {
  return {.name = "SequenceLength", .since = 11, .infer = Infer, .compute = Compute};
}

}  // namespace inferd::ops::onnx
