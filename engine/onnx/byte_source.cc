#include "engine/onnx/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/fingerprint.h"
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

constexpr int64_t kSamples = 64;
constexpr int64_t kSampleBytes = 4096;

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// Reads with pread and never maps, so that a file that shrinks under us is an error and not a
// signal.
class FileSource : public ByteSource {
 public:
  FileSource(int descriptor, const struct stat& opened, absl::string_view name)
      : descriptor_(descriptor), opened_(opened), name_(name), identity_(MakeIdentity()) {}
  ~FileSource() override { close(descriptor_); }

  int64_t size() const override { return opened_.st_size; }
  const std::string& identity() const override { return identity_; }
  bool can_read_later() const override { return true; }

  absl::Status Read(int64_t offset, int64_t bytes, void* destination) const override {
    RETURN_IF_ERROR(CheckRange(offset, bytes, size(), name_));
    RETURN_IF_ERROR(ReadAll(offset, bytes, destination));
    return CheckUnchanged();
  }

  std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const override {
    lseek(descriptor_, 0, SEEK_SET);
    return std::make_unique<google::protobuf::io::FileInputStream>(descriptor_, 1 << 16);
  }

 private:
  absl::Status ReadAll(int64_t offset, int64_t bytes, void* destination) const {
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

  std::string MakeIdentity() const {
    std::string samples(kSamples * kSampleBytes, '\0');
    for (int64_t i = 0; i < kSamples; ++i) {
      // A part that cannot be read now counts as zeros; reading it for real will say why.
      (void)pread(descriptor_, samples.data() + i * kSampleBytes, kSampleBytes,
                  std::max<int64_t>(0, size() - kSampleBytes) / (kSamples - 1) * i);
    }
    return absl::StrCat(size(), "-", opened_.st_mtim.tv_sec, ".", opened_.st_mtim.tv_nsec, "-",
                        FingerprintOf(samples).ToHex());
  }

  // After reading: a change before or meanwhile shows in the times.
  absl::Status CheckUnchanged() const {
    struct stat now;
    if (fstat(descriptor_, &now) != 0) {
      return absl::UnavailableError(absl::StrCat("cannot read ", name_, ": ", strerror(errno)));
    }
    if (now.st_size == opened_.st_size && SameTime(now.st_mtim, opened_.st_mtim)) {
      return absl::OkStatus();
    }
    return absl::FailedPreconditionError(absl::StrCat(
        name_, " was written to after the model began to load: it had ", opened_.st_size,
        " bytes and has ", now.st_size, "; put new versions beside it and load the model again"));
  }

  const int descriptor_;
  const struct stat opened_;
  const std::string name_;
  const std::string identity_;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(absl::string_view bytes) : bytes_(bytes) {}

  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  const std::string& identity() const override { return identity_; }
  bool can_read_later() const override { return false; }

  absl::Status Read(int64_t offset, int64_t bytes, void* destination) const override {
    RETURN_IF_ERROR(CheckRange(offset, bytes, size(), name_));
    if (bytes > 0) std::memcpy(destination, bytes_.data() + offset, bytes);
    return absl::OkStatus();
  }

  std::unique_ptr<google::protobuf::io::ZeroCopyInputStream> Stream() const override {
    return std::make_unique<google::protobuf::io::ArrayInputStream>(
        bytes_.data(), static_cast<int>(std::min<size_t>(bytes_.size(), INT32_MAX)));
  }

 private:
  const absl::string_view bytes_;
  const std::string name_ = "the model";
  const std::string identity_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<ByteSource>> AdoptFileSource(int descriptor,
                                                            absl::string_view name) {
  struct stat info;
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(name, " is not a regular file"));
  }
  return std::shared_ptr<ByteSource>(std::make_shared<FileSource>(descriptor, info, name));
}

absl::StatusOr<std::shared_ptr<ByteSource>> OpenFileSource(const std::string& path) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message = absl::StrCat("cannot open ", path, ": ", std::strerror(error));
    return error == ENOENT ? absl::NotFoundError(message) : absl::InvalidArgumentError(message);
  }
  return AdoptFileSource(descriptor, path);
}

std::shared_ptr<ByteSource> ViewSource(absl::string_view bytes) {
  return std::make_shared<MemorySource>(bytes);
}

}  // namespace inferd
