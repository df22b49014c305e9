#pragma once

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"

namespace inferd {

// For operators whose X and Y are [N,spatial...,C] by their definition (attribute channels_last, or
// Nhwc in the name), while the standard operator takes [N,C,spatial...].

// [N,spatial...,C] -> [N,C,spatial...], and back. INVALID_ARGUMENT for a known rank below 3.
absl::StatusOr<SymbolicShape> ChannelsFirst(const SymbolicShape& shape);
absl::StatusOr<SymbolicShape> ChannelsLast(const SymbolicShape& shape);
// The same for a tensor of rank 3 or more, into storage of its own.
absl::StatusOr<Tensor> ChannelsFirst(const Tensor& tensor, int64_t limit_bytes);
absl::StatusOr<Tensor> ChannelsLast(const Tensor& tensor, int64_t limit_bytes);

}  // namespace inferd
