#include "engine/ops/tuple_index.h"

#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kMostEmptyTuples = 1 << 24;

}  // namespace

absl::Status CheckTuples(int data_rank, int indices_rank, int64_t depth, int64_t batch_dims) {
  if (batch_dims < 0 || batch_dims >= indices_rank || depth < 0 || depth > data_rank ||
      batch_dims > data_rank - depth) {
    return absl::InvalidArgumentError(
        absl::StrCat("indices of rank ", indices_rank, " with tuples of ", depth, " and ",
                     batch_dims, " batch dimensions do not fit data of rank ", data_rank));
  }
  return absl::OkStatus();
}

absl::StatusOr<TupleOffsets> ReadTuples(const Tensor& indices, const Shape& data,
                                        int64_t batch_dims) {
  const int rank = indices.rank();
  const int64_t depth = rank == 0 ? 0 : indices.dim(rank - 1);
  RETURN_IF_ERROR(CheckTuples(data.rank(), rank, depth, batch_dims));
  const int batch = static_cast<int>(batch_dims);
  for (int i = 0; i < batch; ++i) {
    if (indices.dim(i) != data[i]) {
      return absl::InvalidArgumentError(absl::StrCat("batch dimension ", i, " is ", data[i],
                                                     " in the data and ", indices.dim(i),
                                                     " in the indices"));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> values, indices.ToInt64s());
  const Shape::Dims strides = data.RowMajorStrides();
  TupleOffsets result;
  result.block = data.Product(batch + static_cast<int>(depth), data.rank());
  const int64_t tuples = indices.shape().Product(0, rank - 1);
  // With empty tuples the indices hold no elements, whatever their number.
  if (depth == 0 && tuples > kMostEmptyTuples) {
    return absl::ResourceExhaustedError(absl::StrCat("indices hold ", tuples, " empty tuples"));
  }
  const int64_t batches = data.Product(0, batch);
  const int64_t per_batch = batches == 0 ? 0 : tuples / batches;
  const int64_t batch_stride = data.Product(batch, data.rank());
  result.offsets.reserve(tuples);
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t offset = t / per_batch * batch_stride;
    for (int64_t k = 0; k < depth; ++k) {
      int64_t index = values[t * depth + k];
      const int64_t limit = data[batch + static_cast<int>(k)];
      if (index < -limit || index >= limit) {
        return absl::InvalidArgumentError(absl::StrCat("index ", index, " at tuple ", t, ", place ",
                                                       k, " is outside [", -limit, ",", limit - 1,
                                                       "]"));
      }
      index += index < 0 ? limit : 0;
      offset += index * strides[batch + static_cast<int>(k)];
    }
    result.offsets.push_back(offset);
  }
  return result;
}

}  // namespace inferd
