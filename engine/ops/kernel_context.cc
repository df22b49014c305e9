#include "engine/ops/kernel_context.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {

KernelContext::KernelContext(const Attributes& attributes, absl::Span<const Tensor* const> inputs,
                             absl::Span<Tensor* const> outputs, bool outputs_planned,
                             int64_t limit_bytes)
    : attributes_(attributes),
      inputs_(inputs),
      outputs_(outputs),
      outputs_planned_(outputs_planned),
      limit_bytes_(limit_bytes) {}

absl::StatusOr<Tensor*> KernelContext::Output(int i, DType dtype, const Shape& shape) {
  Tensor* output = outputs_[i];
  if (outputs_planned_) {
    if (output->dtype() != dtype || output->shape() != shape) {
      return absl::InternalError(absl::StrCat("output ", i, ": planned ", output->TypeString(),
                                              ", the kernel made ", DTypeName(dtype),
                                              shape.ToString()));
    }
    return output;
  }
  ASSIGN_OR_RETURN(*output, Tensor::Allocate(dtype, shape, Layout::kRowMajor, limit_bytes_));
  return output;
}

absl::Status KernelContext::SetOutput(int i, Tensor value) {
  if (outputs_planned_ && value.kind() == ValueKind::kTensor) {
    return absl::InternalError(absl::StrCat("output ", i, " is planned, not set"));
  }
  *outputs_[i] = std::move(value);
  return absl::OkStatus();
}

}  // namespace inferd
