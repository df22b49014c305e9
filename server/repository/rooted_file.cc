#include "server/repository/rooted_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

namespace fs = std::filesystem;

// A name that changes while it is looked up is looked up again.
constexpr int kAttempts = 20;

std::string PathOf(const std::string& root, const std::string& relative) {
  return (fs::path(root) / relative).string();
}

// For kernels and seccomp filters that do not know openat2: what the name stands for is looked up,
// compared and opened without links, one after the other.
int OpenResolved(const std::string& root, const std::string& relative, int flags) {
  std::error_code error;
  const std::string base = fs::canonical(root, error).string();
  const std::string real = error ? "" : fs::canonical(PathOf(root, relative), error).string();
  if (error) {
    errno = error.value();
    return -1;
  }
  const bool beneath =
      real == base || absl::StartsWith(real, absl::StrCat(base == "/" ? "" : base, "/"));
  if (!beneath) {
    errno = EXDEV;
    return -1;
  }
  return open(real.c_str(), flags | O_NOFOLLOW);
}

int Open(int folder, const std::string& root, const std::string& relative, int flags) {
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long opened = -1;
  for (int attempt = 0; opened < 0 && attempt < kAttempts; ++attempt) {
    opened = syscall(SYS_openat2, folder, relative.c_str(), &how, sizeof(how));
    if (opened < 0 && errno != EAGAIN && errno != EINTR) break;
  }
  // EPERM is how seccomp filters that do not know the call answer.
  if (opened < 0 && (errno == ENOSYS || errno == EPERM)) {
    return OpenResolved(root, relative, flags);
  }
  return static_cast<int>(opened);
}

absl::Status OpenError(const std::string& root, const std::string& relative, int error) {
  const std::string path = PathOf(root, relative);
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(absl::StrCat("'", path, "' is not there"));
  }
  if (error == EXDEV || error == ELOOP) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' leads out of the model repository '", root,
                     "': links in it must be relative and stay within it"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "' cannot be opened: ", std::strerror(error)));
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (value_ >= 0) close(value_);
}

absl::StatusOr<FileDescriptor> OpenBeneath(const std::string& root, const std::string& relative,
                                           int flags) {
  const FileDescriptor folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return OpenError(root, "", errno);
  FileDescriptor opened(Open(folder.get(), root, relative, flags | O_CLOEXEC));
  if (opened.get() < 0) return OpenError(root, relative, errno);
  return opened;
}

absl::StatusOr<FileDescriptor> OpenFileBeneath(const std::string& root, const std::string& relative,
                                               struct stat* info) {
  // Without waiting for whoever is at the other end of a pipe.
  ASSIGN_OR_RETURN(FileDescriptor file, OpenBeneath(root, relative, O_RDONLY | O_NONBLOCK));
  struct stat found = {};
  if (fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", PathOf(root, relative), "': expected a file"));
  }
  if (info != nullptr) *info = found;
  return file;
}

absl::StatusOr<std::string> ReadFileBeneath(const std::string& root, const std::string& relative,
                                            int64_t max_bytes) {
  struct stat info = {};
  ASSIGN_OR_RETURN(const FileDescriptor file, OpenFileBeneath(root, relative, &info));
  if (info.st_size > max_bytes) {
    return absl::InvalidArgumentError(absl::StrCat("'", PathOf(root, relative),
                                                   "': expected at most ", max_bytes,
                                                   " bytes, got ", info.st_size));
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = read(file.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return OpenError(root, relative, errno);
    if (got == 0) break;
    at += static_cast<size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

}  // namespace inferd
