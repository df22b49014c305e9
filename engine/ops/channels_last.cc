#include "engine/ops/channels_last.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/strided_copy.h"

namespace inferd {
namespace {

absl::StatusOr<SymbolicShape> Moved(const SymbolicShape& shape, bool to_front) {
  if (!shape.has_rank()) return shape;
  if (shape.rank() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", shape.ToString(), ", expected rank 3 or more"));
  }
  std::vector<Dim> dims = shape.dims();
  if (to_front) {
    std::rotate(dims.begin() + 1, dims.end() - 1, dims.end());
  } else {
    std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
  }
  return SymbolicShape(std::move(dims));
}

absl::StatusOr<Tensor> Moved(const Tensor& tensor, bool to_front, int64_t limit_bytes) {
  ASSIGN_OR_RETURN(const SymbolicShape shape, Moved(SymbolicShape(tensor.shape()), to_front));
  ASSIGN_OR_RETURN(Tensor result, Tensor::Allocate(tensor.dtype(), shape.ToShape(),
                                                   Layout::kRowMajor, limit_bytes));
  StridedBlock source = WholeBlock(tensor.shape());
  if (to_front) {
    std::rotate(source.strides.begin() + 1, source.strides.end() - 1, source.strides.end());
  } else {
    std::rotate(source.strides.begin() + 1, source.strides.begin() + 2, source.strides.end());
  }
  CopyStrided(result.shape(), tensor, source, &result, WholeBlock(result.shape()));
  return result;
}

}  // namespace

absl::StatusOr<SymbolicShape> ChannelsFirst(const SymbolicShape& shape) {
  return Moved(shape, true);
}

absl::StatusOr<SymbolicShape> ChannelsLast(const SymbolicShape& shape) {
  return Moved(shape, false);
}

absl::StatusOr<Tensor> ChannelsFirst(const Tensor& tensor, int64_t limit_bytes) {
  return Moved(tensor, true, limit_bytes);
}

absl::StatusOr<Tensor> ChannelsLast(const Tensor& tensor, int64_t limit_bytes) {
  return Moved(tensor, false, limit_bytes);
}

}  // namespace inferd
