#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace inferd {

// Bytes that can be read from any place: a model file, an external data file, or memory.
// Used by one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual int64_t size() const = 0;
  // Copies `bytes` bytes from `offset` on to `destination`; OUT_OF_RANGE past the end.
  virtual absl::Status Read(int64_t offset, int64_t bytes, void* destination) const = 0;
  // A stream over all bytes from the start; must not outlive this.
  virtual std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const = 0;
};

// Opens the regular file at `path`; NOT_FOUND or INVALID_ARGUMENT (a folder, a pipe) naming it.
absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path);

// Takes the descriptor of a regular file, which it closes. `name` is for messages.
absl::StatusOr<std::unique_ptr<ByteSource>> AdoptFileSource(int descriptor, absl::string_view name);

// Views `bytes`, which must outlive it.
std::unique_ptr<ByteSource> ViewSource(absl::string_view bytes);

}  // namespace inferd
