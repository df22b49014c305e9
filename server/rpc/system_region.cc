#include "server/rpc/system_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr size_t kMaxKeyBytes = 255;
// Objects in the same folder that are none of the clients': the daemon's, and POSIX semaphores.
constexpr const char* kReservedPrefixes[] = {"inferd.", "sem."};

absl::Status CheckKey(absl::string_view key) {
  const absl::string_view file = absl::StripPrefix(key, "/");
  if (file.empty() || file == "." || file == ".." || absl::StrContains(file, '/')) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shared memory: expected a key without '/' but for the first character, got '", key, "'"));
  }
  for (const char* prefix : kReservedPrefixes) {
    if (!absl::StartsWith(file, prefix)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "shared memory: the key '", key, "' begins with '", prefix, "', which is reserved"));
  }
  return absl::OkStatus();
}

absl::Status SystemError(absl::string_view what, absl::string_view key, int error) {
  const std::string message =
      absl::StrCat("shared memory: cannot ", what, " '", key, "': ", std::strerror(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    case ELOOP:
    case EISDIR:
    case ENXIO:
      return absl::InvalidArgumentError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SystemRegion>> SystemRegion::Open(const std::string& name,
                                                                       const std::string& key,
                                                                       uint64_t offset,
                                                                       uint64_t byte_size) {
  RETURN_IF_ERROR(CheckName(name));
  RETURN_IF_ERROR(CheckText("key", key, kMaxKeyBytes));
  RETURN_IF_ERROR(CheckKey(key));
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  if (byte_size == 0 || offset > kMost || byte_size > kMost - offset) {
    return absl::InvalidArgumentError(
        absl::StrCat("shared memory region '", name, "': expected a size of at least 1 that ends ",
                     "before 2^63, got offset ", offset, " and size ", byte_size));
  }
  std::shared_ptr<SystemRegion> region(
      new SystemRegion(name, key, static_cast<int64_t>(offset), static_cast<int64_t>(byte_size)));
  RETURN_IF_ERROR(region->OpenObject());
  RETURN_IF_ERROR(region->CheckObject(0, region->byte_size()));
  return region;
}

SystemRegion::~SystemRegion() {
  if (file_ >= 0) close(file_);
}

absl::Status SystemRegion::OpenObject() {
  // Whoever may write to the folder may have put a pipe or a link there: neither is waited for.
  file_ = shm_open(key_.c_str(), O_RDWR | O_NONBLOCK, 0);
  writable_ = file_ >= 0;
  if (file_ < 0 && (errno == EACCES || errno == EROFS)) {
    file_ = shm_open(key_.c_str(), O_RDONLY | O_NONBLOCK, 0);
  }
  if (file_ < 0) return SystemError("open the object", key_, errno);
  struct stat status;
  if (fstat(file_, &status) != 0) return SystemError("look at the object", key_, errno);
  if (S_ISREG(status.st_mode)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("shared memory: '", key_, "' is no shared memory object"));
}

absl::Status SystemRegion::CheckObject(int64_t begin, int64_t count) const {
  struct stat status;
  if (fstat(file_, &status) != 0) return SystemError("look at the object", key_, errno);
  const int64_t end = offset_ + begin + count;
  if (status.st_size >= end) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("shared memory region '", name(),
                                                 "': the object '", key_, "' has ", status.st_size,
                                                 " bytes, expected at least ", end));
}

absl::Status SystemRegion::Read(int64_t begin, int64_t count, void* to) const {
  char* next = static_cast<char*>(to);
  for (int64_t done = 0; done < count;) {
    const ssize_t got = pread(file_, next + done, count - done, offset_ + begin + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("read the object", key_, errno);
    if (got == 0) {
      RETURN_IF_ERROR(CheckObject(begin, count));
      return absl::InvalidArgumentError(absl::StrCat("shared memory region '", name(),
                                                     "': the object was cut while it was read"));
    }
    done += got;
  }
  return absl::OkStatus();
}

absl::Status SystemRegion::Write(int64_t begin, absl::string_view bytes) const {
  const int64_t count = static_cast<int64_t>(bytes.size());
  if (!writable_) {
    return absl::PermissionDeniedError(absl::StrCat(
        "shared memory region '", name(), "': the server may only read the object '", key_, "'"));
  }
  // Cut after this look, the object grows again, to the region's end at most.
  RETURN_IF_ERROR(CheckObject(begin, count));
  for (int64_t done = 0; done < count;) {
    const ssize_t put = pwrite(file_, bytes.data() + done, count - done, offset_ + begin + done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError("write to the object", key_, errno);
    done += put;
  }
  return absl::OkStatus();
}

}  // namespace inferd
