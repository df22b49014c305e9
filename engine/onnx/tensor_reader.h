#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

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
  // external data; all tensors together may take `max_bytes`. `recovery` is for ReadLater; null: it
  // reads now.
  TensorReader(std::shared_ptr<const ByteSource> model, absl::string_view folder, int64_t max_bytes,
               std::shared_ptr<RecoverySet> recovery = nullptr)
      : model_(std::move(model)),
        external_(folder),
        budget_bytes_(max_bytes),
        recovery_(std::move(recovery)) {}

  // `raw` is where the raw_data lies when it is not in `proto`.
  absl::StatusOr<Tensor> Read(const ::onnx::TensorProto& proto, ByteRange raw = {}) {
    return ReadNamed(proto, raw, nullptr);
  }
  // The same, but a large tensor in a file becomes a recoverable member of the set, read when it is
  // wanted.
  absl::StatusOr<Tensor> ReadLater(const ::onnx::TensorProto& proto, ByteRange raw) {
    return ReadNamed(proto, raw, recovery_);
  }
  // A dense tensor; the elements not listed are zero.
  absl::StatusOr<Tensor> ReadSparse(const ::onnx::SparseTensorProto& proto);

 private:
  struct Layout;

  using Recovery = std::shared_ptr<RecoverySet>;

  absl::StatusOr<Tensor> ReadNamed(const ::onnx::TensorProto& proto, ByteRange raw,
                                   const Recovery& recovery);
  absl::StatusOr<Tensor> ReadDense(const ::onnx::TensorProto& proto, ByteRange raw,
                                   const Recovery& recovery);
  absl::StatusOr<Tensor> ReadSparseChecked(const ::onnx::SparseTensorProto& proto);
  absl::StatusOr<Tensor> ReadRange(const ByteSource& source, int64_t offset, const Layout& layout);
  // As ReadRange, but later where that is possible and `recovery` is not null.
  absl::StatusOr<Tensor> TakeRange(const ExternalData::Range& range, const Layout& layout,
                                   const Recovery& recovery);
  absl::StatusOr<int64_t> TakeFromBudget(const Layout& layout);
  absl::StatusOr<Tensor> Allocate(const Layout& layout);

  const std::shared_ptr<const ByteSource> model_;
  ExternalData external_;
  int64_t budget_bytes_;
  const std::shared_ptr<RecoverySet> recovery_;
};

}  // namespace inferd
