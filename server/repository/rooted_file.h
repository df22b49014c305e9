#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace inferd {

// A file descriptor that is closed. Used by one thread at a time.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int value) : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~FileDescriptor();

  int get() const { return value_; }

 private:
  int value_ = -1;
};

// Opens `relative` beneath the folder `root`, which is trusted: links within it are followed, as
// mounted Kubernetes volumes need it; one that leads out of it, or is absolute, is
// INVALID_ARGUMENT. NOT_FOUND for what is not there. `flags` are of open().
absl::StatusOr<FileDescriptor> OpenBeneath(const std::string& root, const std::string& relative,
                                           int flags);

// The same for a regular file, for reading. `info`, unless null, is what stat() says of it.
absl::StatusOr<FileDescriptor> OpenFileBeneath(const std::string& root, const std::string& relative,
                                               struct stat* info = nullptr);

// The bytes of a regular file of at most `max_bytes`; INVALID_ARGUMENT for a larger one.
absl::StatusOr<std::string> ReadFileBeneath(const std::string& root, const std::string& relative,
                                            int64_t max_bytes);

}  // namespace inferd
