#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/core/status_macros.h"
#include "engine/core/tensor.h"

namespace inferd {

// Adds `limit` to every negative index; INVALID_ARGUMENT naming the first index outside
// [-limit, limit) and its position.
inline absl::Status NormalizeIndices(std::vector<int64_t>* indices, int64_t limit) {
  for (size_t i = 0; i < indices->size(); ++i) {
    int64_t& index = (*indices)[i];
    if (index < -limit || index >= limit) {
      return absl::InvalidArgumentError(absl::StrCat("index ", index, " at position ", i,
                                                     " is outside [", -limit, ",", limit - 1, "]"));
    }
    if (index < 0) index += limit;
  }
  return absl::OkStatus();
}

// The indices of `tensor` (any integer type), all of them within [0, limit).
inline absl::StatusOr<std::vector<int64_t>> CheckedIndices(const Tensor& tensor, int64_t limit) {
  ASSIGN_OR_RETURN(std::vector<int64_t> indices, tensor.ToInt64s());
  RETURN_IF_ERROR(NormalizeIndices(&indices, limit));
  return indices;
}

// The one integer a scalar or 1-element input holds.
inline absl::StatusOr<int64_t> OneInteger(const Tensor& tensor, absl::string_view what) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> values, tensor.ToInt64s());
  if (values.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is ", tensor.TypeString(), ", expected one integer"));
  }
  return values[0];
}

}  // namespace inferd
