#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"

namespace inferd {

// Index tuples of GatherND and ScatterND: where each tuple's block starts in the data.
struct TupleOffsets {
  std::vector<int64_t> offsets;  // in elements, one per tuple, in the data's bounds
  int64_t block = 1;             // elements per tuple
};

// Checks that tuples of `depth` after `batch_dims` shared dimensions can index data of that rank.
absl::Status CheckTuples(int data_rank, int indices_rank, int64_t depth, int64_t batch_dims);

// `indices` is [batch..., ..., depth]; INVALID_ARGUMENT naming an index that is out of range.
absl::StatusOr<TupleOffsets> ReadTuples(const Tensor& indices, const Shape& data,
                                        int64_t batch_dims);

}  // namespace inferd
