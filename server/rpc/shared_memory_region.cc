#include "server/rpc/shared_memory_region.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

constexpr size_t kMaxNameBytes = 255;

}  // namespace

absl::Status SharedMemoryRegion::CheckName(absl::string_view name) {
  return CheckText("name", name, kMaxNameBytes);
}

absl::Status SharedMemoryRegion::CheckText(absl::string_view what, absl::string_view text,
                                           size_t most) {
  if (text.empty() || text.size() > most) {
    return absl::InvalidArgumentError(absl::StrCat("shared memory: expected a ", what, " of 1 to ",
                                                   most, " bytes, got ", text.size()));
  }
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  });
  if (printable) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("shared memory: the ", what, " has a control character"));
}

absl::Status SharedMemoryRegion::CheckRange(int64_t begin, int64_t count) const {
  if (begin >= 0 && count >= 0 && begin <= byte_size_ && count <= byte_size_ - begin) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("shared memory region '", name_, "' has ",
                                                 byte_size_, " bytes, got offset ", begin,
                                                 " and size ", count));
}

}  // namespace inferd
