#include "engine/runtime/carried_value.h"

#include <utility>

#include "engine/core/status_macros.h"
#include "engine/ops/view.h"

namespace inferd {

absl::StatusOr<Tensor> Lasting(const Tensor& tensor, bool kept) {
  if (kept || tensor.kind() != ValueKind::kTensor) return tensor;
  return tensor.Clone();
}

absl::Status CarriedValue::Take(const BodyRunner& body, int i) {
  const Tensor& result = body.result(i);
  if (body.IsKept(i) || result.kind() != ValueKind::kTensor) {
    value_ = result;
    spare_ = Tensor();
    taken_ = true;
    copied_ = false;
    return absl::OkStatus();
  }
  // Passed through unchanged.
  if (result.raw() == value_.raw() && result.shape() == value_.shape()) return absl::OkStatus();
  if (spare_.dtype() != result.dtype() || spare_.shape() != result.shape()) {
    ASSIGN_OR_RETURN(spare_, Tensor::Allocate(result.dtype(), result.shape(), Layout::kRowMajor,
                                              body.limit_bytes()));
  }
  CopyElements(result, 0, &spare_, 0, result.num_elements());
  std::swap(value_, spare_);
  if (!copied_) spare_ = Tensor();
  taken_ = true;
  copied_ = true;
  return absl::OkStatus();
}

}  // namespace inferd
