#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/tensor.h"
#include "server/rpc/inflight_bytes.h"

namespace inference {
class InferTensorContents;
}

namespace inferd {

// Dimensions a request's tensor may have.
inline constexpr int kMaxRank = 32;

// The typed form of a tensor, `contents`, as a tensor of `elements` elements; see DecodeTensor().
// FP16 and BF16 have no typed form.
absl::StatusOr<Tensor> DecodeTypedContents(DType dtype, absl::string_view datatype,
                                           const Shape& shape, int64_t elements,
                                           const inference::InferTensorContents& contents,
                                           InflightCharge* charge);

// True when no field of `contents` has a value.
bool IsEmpty(const inference::InferTensorContents& contents);

}  // namespace inferd
