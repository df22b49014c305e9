#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/tensor.h"
#include "engine/onnx/byte_source.h"
#include "engine/onnx/external_data.h"
#include "engine/onnx/model_reader.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// Makes Tensors of TensorProtos: raw, typed, external and sparse data of every element type, with
// sub-byte elements unpacked to one byte each. Sizes are checked against the bytes that are there
// before anything is allocated. Errors name the tensor. Used by one thread at a time.
class TensorReader {
 public:
  // `model` is where raw ranges point into (may be null when there are none); `folder` holds the
  // external data; all tensors together may take `max_bytes`.
  TensorReader(const ByteSource* model, absl::string_view folder, int64_t max_bytes)
      : model_(model), external_(folder), budget_bytes_(max_bytes) {}

  // `raw` is where the raw_data lies when it is not in `proto`.
  absl::StatusOr<Tensor> Read(const ::onnx::TensorProto& proto, ByteRange raw = {});
  // A dense tensor; the elements not listed are zero.
  absl::StatusOr<Tensor> ReadSparse(const ::onnx::SparseTensorProto& proto);

 private:
  struct Layout;

  absl::StatusOr<Tensor> ReadDense(const ::onnx::TensorProto& proto, ByteRange raw);
  absl::StatusOr<Tensor> ReadSparseChecked(const ::onnx::SparseTensorProto& proto);
  absl::StatusOr<Tensor> ReadRange(const ByteSource& source, int64_t offset, const Layout& layout);
  absl::StatusOr<Tensor> Allocate(const Layout& layout);

  const ByteSource* const model_;
  ExternalData external_;
  int64_t budget_bytes_;
};

}  // namespace inferd
