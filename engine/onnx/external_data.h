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
    std::shared_ptr<const ByteSource> source;
    int64_t offset = 0;
    bool can_read_later = false;  // keeping `source` is fine
  };
  // The place of a tensor's `bytes` bytes, checked to lie within the file.
  absl::StatusOr<Range> Locate(const ::onnx::TensorProto& tensor, int64_t bytes);

 private:
  struct File {
    std::shared_ptr<const ByteSource> source;
    bool stays_open = false;
  };
  // Descriptors are scarce: tensors of further files are read while loading.
  static constexpr size_t kMaxFilesThatStayOpen = 16;

  absl::StatusOr<File> Open(const std::string& location);

  const std::string folder_;
  std::map<std::string, File> files_;
};

}  // namespace inferd
