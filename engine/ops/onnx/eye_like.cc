#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType dtype, ReadDType(context.attributes(), "dtype", context.dtype(0)));
  context.SetOutput(0, dtype, context.shape(0));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Shape& shape = context.input(0).shape();
  if (shape.rank() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("input has rank ", shape.rank(), ", expected 2"));
  }
  ASSIGN_OR_RETURN(const DType dtype,
                   ReadDType(context.attributes(), "dtype", context.input(0).dtype()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, shape));
  const int64_t k = std::clamp<int64_t>(context.attributes().Int("k", 0), -shape[0], shape[1]);
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = y->mutable_data<T>();
    std::fill_n(out, y->num_elements(), T());
    const int64_t end = std::min(shape[0], shape[1] - k);
    for (int64_t row = std::max<int64_t>(0, -k); row < end; ++row) {
      out[row * shape[1] + row + k] = T(1);
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef EyeLike() {
  return {.name = "EyeLike",
          .since = 22,
          .attributes = {{"dtype", AttributeKind::kInt}, {"k", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
