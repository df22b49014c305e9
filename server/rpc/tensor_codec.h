#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/core/tensor.h"
#include "server/rpc/byte_source.h"
#include "server/rpc/inflight_bytes.h"

namespace inference {
class InferTensorContents;
}

namespace inferd {

// A tensor as a request carries it. One of `raw` and `contents` holds its elements; both are null
// where there are none.
struct WireTensor {
  absl::string_view datatype;  // "FP32", "BYTES", ...
  absl::Span<const int64_t> shape;
  const ByteSource* raw = nullptr;
  const inference::InferTensorContents* contents = nullptr;
};

// The tensor that `wire` stands for. Borrows the elements where they lie as a tensor needs them, so
// that the message must outlive the tensor; else the copy is first added to `charge`. What is in
// shared memory is always copied, once, before it is checked.
// INVALID_ARGUMENT for an unknown datatype, a negative or overflowing shape, a wrong number of
// bytes or elements, a BYTES length past the end, a BOOL byte other than 0 and 1, values in a field
// of another type or out of range; RESOURCE_EXHAUSTED from `charge`. Messages say expected and got,
// but not which input it is.
absl::StatusOr<Tensor> DecodeTensor(const WireTensor& wire, InflightCharge* charge);

// Bytes that `tensor` takes on the wire.
int64_t EncodedBytes(const Tensor& tensor);
// Writes the elements in the raw form. UNIMPLEMENTED for a value the protocol cannot carry.
absl::Status EncodeTensor(const Tensor& tensor, std::string* raw);

}  // namespace inferd
