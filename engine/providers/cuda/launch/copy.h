#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// Elements of 1, 2, 4, 8 or 16 bytes from one place to another: element (i, j, ...) of `dims` is
// read at from_at + i * from.at[0] + ... and written in the same way. Strides are in elements and
// may be negative or, for reading, zero. What is read and what is written must not overlap.
struct CopyRequest {
  const void* from = nullptr;
  void* to = nullptr;
  int element_bytes = 4;
  Dims dims;
  Strides from_strides;
  Strides to_strides;
  int64_t from_at = 0;
  int64_t to_at = 0;
};

// The same copy in as few dimensions and as wide elements as it can be made in; of an empty copy
// one of rank 1 and size 0. On the host.
CopyRequest Simplified(const CopyRequest& request);

// Expects what Simplified gave.
void LaunchCopy(const CopyRequest& request, Stream stream);

// Writes one element of `element_bytes` (1, 2, 4 or 8) all over `to`.
void LaunchFill(void* to, int element_bytes, int64_t elements, uint64_t value, Stream stream);

}  // namespace inferd::cuda
