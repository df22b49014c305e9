#include "server/security/small_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

constexpr std::streamsize kMaxBytes = 1 << 20;

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxBytes + 1, '\0');
  if (!file || (!file.read(text.data(), kMaxBytes + 1) && !file.eof())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", path, "' cannot be read: ", errno == 0 ? "it is no file" : std::strerror(errno)));
  }
  if (file.gcount() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "': expected at most ", kMaxBytes, " bytes"));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace inferd
