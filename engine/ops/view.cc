#include "engine/ops/view.h"

#include <algorithm>
#include <cstring>

#include "engine/core/status_macros.h"

namespace inferd {

absl::Status CopyAs(KernelContext& context, const Shape& shape) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  CopyElements(x, 0, y, 0, x.num_elements());
  return absl::OkStatus();
}

void CopyElements(const Tensor& from, int64_t from_offset, Tensor* to, int64_t to_offset,
                  int64_t count) {
  if (count == 0) return;
  if (from.dtype() == DType::kString) {
    std::copy_n(from.data<std::string>() + from_offset, count,
                to->mutable_data<std::string>() + to_offset);
    return;
  }
  const int64_t bytes = ElementBytes(from.dtype());
  const char* source = static_cast<const char*>(from.raw()) + from_offset * bytes;
  char* target = static_cast<char*>(to->mutable_raw()) + to_offset * bytes;
  if (source != target) std::memcpy(target, source, count * bytes);
}

}  // namespace inferd
