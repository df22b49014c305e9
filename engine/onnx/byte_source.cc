#include "engine/onnx/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "google/protobuf/io/zero_copy_stream_impl.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace inferd {
namespace {

absl::Status CheckRange(int64_t offset, int64_t bytes, int64_t size, absl::string_view name) {
  if (offset >= 0 && bytes >= 0 && offset <= size && bytes <= size - offset) {
    return absl::OkStatus();
  }
  return absl::OutOfRangeError(absl::StrCat(name, " has ", size, " bytes; ", bytes,
                                            " bytes at offset ", offset, " are past its end"));
}

// Reads with pread, so that a file that shrinks under us is an error and not a signal.
class FileSource : public ByteSource {
 public:
  FileSource(int descriptor, int64_t size, absl::string_view name)
      : descriptor_(descriptor), size_(size), name_(name) {}
  ~FileSource() override { close(descriptor_); }

  int64_t size() const override { return size_; }

  absl::Status Read(int64_t offset, int64_t bytes, void* destination) const override {
    RETURN_IF_ERROR(CheckRange(offset, bytes, size_, name_));
    auto* to = static_cast<char*>(destination);
    while (bytes > 0) {
      const ssize_t got = pread(descriptor_, to, bytes, offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) {
        return absl::UnavailableError(
            absl::StrCat("cannot read ", name_, ": ", std::strerror(errno)));
      }
      if (got == 0) return absl::OutOfRangeError(absl::StrCat(name_, " shrank while being read"));
      to += got;
      offset += got;
      bytes -= got;
    }
    return absl::OkStatus();
  }

  std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const override {
    lseek(descriptor_, 0, SEEK_SET);
    return std::make_unique<google::protobuf::io::FileInputStream>(descriptor_, 1 << 16);
  }

 private:
  const int descriptor_;
  const int64_t size_;
  const std::string name_;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(absl::string_view bytes) : bytes_(bytes) {}

  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }

  absl::Status Read(int64_t offset, int64_t bytes, void* destination) const override {
    RETURN_IF_ERROR(CheckRange(offset, bytes, size(), "the model"));
    if (bytes > 0) std::memcpy(destination, bytes_.data() + offset, bytes);
    return absl::OkStatus();
  }

  std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const override {
    return std::make_unique<google::protobuf::io::ArrayInputStream>(
        bytes_.data(), static_cast<int>(std::min<size_t>(bytes_.size(), INT32_MAX)));
  }

 private:
  const absl::string_view bytes_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> AdoptFileSource(int descriptor,
                                                            absl::string_view name) {
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(name, " is not a regular file"));
  }
  return std::unique_ptr<ByteSource>(
      std::make_unique<FileSource>(descriptor, static_cast<int64_t>(info.st_size), name));
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message = absl::StrCat("cannot open ", path, ": ", std::strerror(error));
    return error == ENOENT ? absl::NotFoundError(message) : absl::InvalidArgumentError(message);
  }
  return AdoptFileSource(descriptor, path);
}

std::unique_ptr<ByteSource> ViewSource(absl::string_view bytes) {
  return std::make_unique<MemorySource>(bytes);
}

}  // namespace inferd
