#include "engine/onnx/external_data.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"

namespace inferd {
namespace {

constexpr size_t kMaxFiles = 4096;

// A file descriptor that is closed.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  int get() const { return value_; }
  int Release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

// For kernels without openat2: walks the components and follows no symbolic link at all.
int OpenWalking(int folder, const std::string& location) {
  const std::vector<std::string> parts = absl::StrSplit(location, '/', absl::SkipEmpty());
  Descriptor at(fcntl(folder, F_DUPFD_CLOEXEC, 0));
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    at = Descriptor(
        openat(at.get(), parts[i].c_str(), kOpenFlags | O_NOFOLLOW | (last ? 0 : O_DIRECTORY)));
    if (at.get() < 0) return -1;
  }
  return at.Release();
}

int OpenBeneath(int folder, const std::string& location) {
  open_how how = {};
  how.flags = kOpenFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long opened = syscall(SYS_openat2, folder, location.c_str(), &how, sizeof(how));
  if (opened >= 0) return static_cast<int>(opened);
  // EPERM is how seccomp filters that do not know the call answer.
  if (errno != ENOSYS && errno != EPERM) return -1;
  return OpenWalking(folder, location);
}

absl::Status CheckLocation(const std::string& location) {
  if (location.empty()) return absl::InvalidArgumentError("its external data has no location");
  if (location.find('\0') != std::string::npos || location.size() > 4096) {
    return absl::InvalidArgumentError("its external data location is not a path");
  }
  if (location[0] == '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("external data location ", NameText(location),
                     " is absolute; expected a path relative to the model's folder"));
  }
  for (absl::string_view part : absl::StrSplit(location, '/')) {
    if (part == "..") {
      return absl::InvalidArgumentError(
          absl::StrCat("external data location ", NameText(location),
                       " leaves the model's folder ('..' is not allowed)"));
    }
  }
  return absl::OkStatus();
}

absl::Status OpenError(const std::string& location, int error) {
  if (error == EXDEV || error == ELOOP) {
    return absl::InvalidArgumentError(absl::StrCat("external data location ", NameText(location),
                                                   " is a link that leaves the model's folder"));
  }
  return absl::InvalidArgumentError(absl::StrCat("cannot open external data file ",
                                                 NameText(location), ": ", std::strerror(error)));
}

absl::StatusOr<int64_t> ParseCount(absl::string_view key, const std::string& text) {
  int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 0) {
    return absl::InvalidArgumentError(absl::StrCat("external data has ", key, " ", NameText(text),
                                                   "; expected a number that is not negative"));
  }
  return value;
}

}  // namespace

absl::StatusOr<ExternalData::File> ExternalData::Open(const std::string& location) {
  if (auto it = files_.find(location); it != files_.end()) return it->second;
  if (folder_.empty()) {
    return absl::InvalidArgumentError("it has external data, but the model comes without a folder");
  }
  if (files_.size() >= kMaxFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the model has more than ", kMaxFiles, " external data files"));
  }
  RETURN_IF_ERROR(CheckLocation(location));
  const Descriptor folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot open the model's folder ", folder_, ": ", std::strerror(errno)));
  }
  const int opened = OpenBeneath(folder.get(), location);
  if (opened < 0) return OpenError(location, errno);
  File file;
  ASSIGN_OR_RETURN(file.source, AdoptFileSource(opened, absl::StrCat("external data file ",
                                                                     NameText(location))));
  file.stays_open = files_.size() < kMaxFilesThatStayOpen;
  files_[location] = file;
  return file;
}

absl::StatusOr<ExternalData::Range> ExternalData::Locate(const ::onnx::TensorProto& tensor,
                                                         int64_t bytes) {
  std::string location;
  Range range;
  int64_t length = bytes;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") {
      ASSIGN_OR_RETURN(range.offset, ParseCount("offset", entry.value()));
    }
    if (entry.key() == "length") {
      ASSIGN_OR_RETURN(length, ParseCount("length", entry.value()));
    }
  }
  if (length != bytes) {
    return absl::InvalidArgumentError(absl::StrCat("its external data has length ", length,
                                                   "; its type and shape need ", bytes, " bytes"));
  }
  ASSIGN_OR_RETURN(const File file, Open(location));
  range.source = file.source;
  range.can_read_later = file.stays_open;
  if (range.offset > range.source->size() || bytes > range.source->size() - range.offset) {
    return absl::InvalidArgumentError(absl::StrCat("its external data ends at byte ", range.offset,
                                                   " + ", bytes, " of file ", NameText(location),
                                                   ", which has ", range.source->size(), " bytes"));
  }
  return range;
}

}  // namespace inferd
