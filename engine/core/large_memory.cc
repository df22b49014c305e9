#include "engine/core/large_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace inferd {

void* AllocateLarge(int64_t bytes) {
  constexpr int64_t kLine = 64;
  constexpr int64_t kHugePage = int64_t{1} << 21;
  const int64_t alignment = bytes >= kHugePage ? kHugePage : kLine;
  const int64_t rounded = (std::max<int64_t>(bytes, 1) + kLine - 1) / kLine * kLine;
  void* memory = nullptr;
  if (posix_memalign(&memory, static_cast<size_t>(alignment), static_cast<size_t>(rounded)) != 0) {
    return nullptr;
  }
  // Advice only: where it is refused, small pages do. A part of a page at the end stays small, so
  // that no more memory is taken than asked for.
  if (alignment == kHugePage) {
    madvise(memory, static_cast<size_t>(rounded / kHugePage * kHugePage), MADV_HUGEPAGE);
  }
  return memory;
}

}  // namespace inferd
