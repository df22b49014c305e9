#include "engine/core/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

namespace inferd {
namespace {

constexpr size_t kHugePage = size_t{1} << 21;
constexpr size_t kSmallPage = size_t{1} << 12;

size_t RoundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

void* Map(size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

// A mapping that begins where a huge page may: cut out of one that is larger by a huge page.
void* MapOnHugePages(size_t size) {
  char* whole = static_cast<char*>(Map(size + kHugePage));
  if (whole == nullptr) return nullptr;
  const size_t before =
      RoundUp(reinterpret_cast<uintptr_t>(whole), kHugePage) - reinterpret_cast<uintptr_t>(whole);
  if (before > 0) munmap(whole, before);
  if (before < kHugePage) munmap(whole + before + size, kHugePage - before);
  // Advice only: where it is refused, small pages do. The end stays small, so that no more memory
  // is taken than asked for.
  madvise(whole + before, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  return whole + before;
}

}  // namespace

std::shared_ptr<void> AllocatePages(int64_t bytes) {
  const size_t size = RoundUp(static_cast<size_t>(std::max<int64_t>(bytes, 1)), kSmallPage);
  void* address = size < kHugePage ? Map(size) : MapOnHugePages(size);
  if (address == nullptr) return nullptr;
  return std::shared_ptr<void>(address, [size](void* p) { munmap(p, size); });
}

}  // namespace inferd
