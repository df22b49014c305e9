#pragma once

#include "absl/status/status.h"
#include "engine/core/tensor.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// Elements in the typed field (float_data, int32_data, ...) in which ONNX keeps that type, as the
// field counts them: packed sub-byte types have several tensor elements in one entry.
int64_t TypedEntries(const ::onnx::TensorProto& proto, DType dtype);

// Entries that `elements` elements of `dtype` take.
int64_t TypedEntriesFor(DType dtype, int64_t elements);

// True when any typed field has entries.
bool HasTypedData(const ::onnx::TensorProto& proto);

// Copies the typed field to `tensor`, whose type says which; the entries must be as many as needed.
// INVALID_ARGUMENT for an entry that its type cannot hold.
absl::Status CopyTypedData(const ::onnx::TensorProto& proto, Tensor& tensor);

// Spreads packed elements of a sub-byte type, lowest bits first, to one byte each, signed types
// sign-extended. `packed` may be the last bytes of `elements`' own storage.
void UnpackSubByte(DType dtype, const uint8_t* packed, int64_t count, uint8_t* elements);

}  // namespace inferd
