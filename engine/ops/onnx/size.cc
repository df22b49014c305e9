#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, DType::kInt64, SymbolicShape::Scalar());
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt64, Shape()));
  *y->mutable_data<int64_t>() = context.input(0).num_elements();
  return absl::OkStatus();
}

}  // namespace

OpDef Size() {
  return {
      .name = "Size", .since = 25, .shape_only = true, .infer = Infer, .compute = Compute};
}

}  // namespace inferd::ops::onnx
