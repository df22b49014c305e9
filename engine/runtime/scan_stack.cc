#include "engine/runtime/scan_stack.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/view.h"

namespace inferd {
namespace {

// Room made before it is known to be needed: parts, at most so many bytes of them.
constexpr int64_t kFirstParts = 16;
constexpr int64_t kFirstBytes = 16 << 20;

}  // namespace

absl::Status ScanStack::Append(const Tensor& part) {
  if (part.kind() != ValueKind::kTensor) {
    return absl::InvalidArgumentError("a scan output must be a tensor");
  }
  if (count_ == 0) {
    dtype_ = part.dtype();
    part_ = part.shape();
  }
  if (part.shape() != part_ || part.dtype() != dtype_) {
    return absl::InvalidArgumentError(absl::StrCat("iteration ", count_, " made ",
                                                   part.TypeString(), ", the first made ",
                                                   DTypeName(dtype_), part_.ToString()));
  }
  if (count_ == capacity_) RETURN_IF_ERROR(Grow());
  const int64_t elements = part.num_elements();
  CopyElements(part, 0, &stack_, count_ * elements, elements);
  ++count_;
  return absl::OkStatus();
}

absl::Status ScanStack::Grow() {
  const int64_t part_bytes = std::max<int64_t>(part_.num_elements() * ElementBytes(dtype_), 1);
  const int64_t first = std::min(expected_ > 0 ? expected_ : kFirstParts, kFirstBytes / part_bytes);
  const int64_t wanted = count_ == 0 ? first : 2 * capacity_;
  // As far as the limit allows; one more than that is refused by Allocate.
  const int64_t capacity = std::max(count_ + 1, std::min(wanted, limit_bytes_ / part_bytes));
  Shape shape = part_;
  shape.insert(0, capacity);
  ASSIGN_OR_RETURN(Tensor grown, Tensor::Allocate(dtype_, shape, Layout::kRowMajor, limit_bytes_));
  CopyElements(stack_, 0, &grown, 0, count_ * part_.num_elements());
  stack_ = std::move(grown);
  capacity_ = capacity;
  return absl::OkStatus();
}

absl::StatusOr<Tensor> ScanStack::Finish(int64_t axis, bool reversed) {
  ASSIGN_OR_RETURN(const int at, NormalizeAxis(axis, part_.rank() + 1));
  Shape shape = part_;
  shape.insert(at, count_);
  if (at == 0 && !reversed) {
    if (capacity_ == count_) return std::move(stack_);
    const auto owner = std::make_shared<Tensor>(std::move(stack_));
    return Tensor::View(dtype_, shape, owner->raw(), owner);
  }
  ASSIGN_OR_RETURN(Tensor joined, Tensor::Allocate(dtype_, shape, Layout::kRowMajor, limit_bytes_));
  const int64_t outer = part_.Product(0, at);
  const int64_t inner = part_.Product(at, part_.rank());
  for (int64_t i = 0; i < count_; ++i) {
    const int64_t to = reversed ? count_ - 1 - i : i;
    for (int64_t o = 0; o < outer; ++o) {
      CopyElements(stack_, (i * outer + o) * inner, &joined, (o * count_ + to) * inner, inner);
    }
  }
  return joined;
}

}  // namespace inferd
