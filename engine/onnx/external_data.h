#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/onnx/byte_source.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// The files beside a model that hold tensors. Paths come from the model and are hostile: they must
// be relative, without "..", and neither they nor a symbolic link in them may lead out of the
// model's folder. Used by one thread at a time.
class ExternalData {
 public:
  // `folder` is the model's folder; empty: the model may have no external data.
  explicit ExternalData(absl::string_view folder) : folder_(folder) {}

  struct Range {
    const ByteSource* source = nullptr;
    int64_t offset = 0;
  };
  // The place of a tensor's `bytes` bytes, checked to lie within the file.
  absl::StatusOr<Range> Locate(const ::onnx::TensorProto& tensor, int64_t bytes);

 private:
  absl::StatusOr<const ByteSource*> Open(const std::string& location);

  const std::string folder_;
  std::map<std::string, std::unique_ptr<ByteSource>> files_;
};

}  // namespace inferd
