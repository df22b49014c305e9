#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/integer_convolution.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  return InferConvolution(context, 0, 1, -1, DType::kInt32);
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x.shape(), w.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kInt32, shape.Output().ToShape()));
  ASSIGN_OR_RETURN(
      const std::vector<uint32_t> sums,
      IntegerConvolution(shape, x, context.has_input(2) ? &context.input(2) : nullptr, w,
                         context.has_input(3) ? &context.input(3) : nullptr, nullptr));
  std::copy(sums.begin(), sums.end(), y->mutable_data<int32_t>());
  return absl::OkStatus();
}

}  // namespace

OpDef ConvInteger() {
  return {.name = "ConvInteger",
          .since = 10,
          .min_inputs = 2,
          .max_inputs = 4,
          .attributes = ConvolutionAttributes(),
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
