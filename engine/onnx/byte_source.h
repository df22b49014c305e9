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
// Read is thread-safe; the rest is used by one thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual int64_t size() const = 0;
  // Tells these bytes from others, also in another process: of a file the size, the time of the
  // last write and a fingerprint of samples. Empty when there is no such thing.
  virtual const std::string& identity() const = 0;
  // Whether the bytes can still be read when the model is loaded. A file stays open for that, also
  // when it was removed or replaced; FAILED_PRECONDITION when it was written to.
  virtual bool can_read_later() const = 0;
  // Copies `bytes` bytes from `offset` on to `destination`; OUT_OF_RANGE past the end.
  virtual absl::Status Read(int64_t offset, int64_t bytes, void* destination) const = 0;
  // A stream over all bytes from the start; must not outlive this.
  virtual std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const = 0;
};

// Opens the regular file at `path`; NOT_FOUND or INVALID_ARGUMENT (a folder, a pipe) naming it.
absl::StatusOr<std::shared_ptr<ByteSource>> OpenFileSource(const std::string& path);

// Takes the descriptor of a regular file, which it closes. `name` is for messages.
absl::StatusOr<std::shared_ptr<ByteSource>> AdoptFileSource(int descriptor, absl::string_view name);

// Views `bytes`, which must outlive it.
std::shared_ptr<ByteSource> ViewSource(absl::string_view bytes);

}  // namespace inferd
