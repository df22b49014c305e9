#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/integer_matmul.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(MatMulShape shape, ResolveMatMul(context.shape(0), context.shape(1)));
  context.SetOutput(0, DType::kInt32, std::move(shape.output));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  ASSIGN_OR_RETURN(const MatMulShape shape, ResolveMatMul(a.shape(), b.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt32, shape.output.ToShape()));
  ASSIGN_OR_RETURN(const std::vector<uint32_t> product,
                   IntegerMatMul(shape, a, context.has_input(2) ? &context.input(2) : nullptr, b,
                                 context.has_input(3) ? &context.input(3) : nullptr));
  std::copy(product.begin(), product.end(), y->mutable_data<int32_t>());
  return absl::OkStatus();
}

}  // namespace

OpDef MatMulInteger() {
  return {.name = "MatMulInteger",
          .since = 10,
          .min_inputs = 2,
          .max_inputs = 4,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
