#include "engine/providers/cuda/kernel_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/core/fingerprint.h"
#include "engine/core/section_file.h"

namespace inferd::cuda {
namespace {

constexpr int64_t kMostBytes = int64_t{4} << 20;

// The suffix by which the folder's files are found when it is full.
std::string PathOf(const std::string& folder, absl::string_view key) {
  return absl::StrCat(folder, "/kernel-", FingerprintOf(key).ToHex(), ".inferd-cache");
}

absl::Span<const char> BytesOf(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::optional<std::string> ReadKernelFile(const std::string& folder, absl::string_view key) {
  const std::string path = PathOf(folder, key);
  const auto file = SectionFile::Open(path, key);
  if (!file.ok()) return std::nullopt;
  const SectionFile::Section* code = (*file)->Find("code");
  const SectionFile::Section* check = (*file)->Find("check");
  if (code == nullptr || check == nullptr || code->bytes.empty()) return std::nullopt;
  std::string text(code->bytes.data(), code->bytes.size());
  // Sections are not checked when a file is opened, and a driver need not survive what is no code.
  if (FingerprintOf(text).ToHex() != absl::string_view(check->bytes.data(), check->bytes.size())) {
    return std::nullopt;
  }
  // The time of the last use is what says which file goes first.
  utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return text;
}

absl::Status WriteKernelFile(const std::string& folder, absl::string_view key,
                             absl::string_view code) {
  if (static_cast<int64_t>(code.size()) > kMostBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "a kernel's code has ", code.size(), " bytes, a file of the cache takes ", kMostBytes));
  }
  std::error_code error;
  if (std::filesystem::create_directories(folder, error)) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  const std::string check = FingerprintOf(code).ToHex();
  return SectionFile::Write(PathOf(folder, key), key,
                            {{"code", BytesOf(code)}, {"check", BytesOf(check)}});
}

}  // namespace inferd::cuda
