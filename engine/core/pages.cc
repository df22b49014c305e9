#include "engine/core/pages.h"

#include <sys/mman.h>

#include <algorithm>

namespace inferd {

std::shared_ptr<void> AllocatePages(int64_t bytes) {
  const size_t size = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) return nullptr;
  return std::shared_ptr<void>(address, [size](void* p) { munmap(p, size); });
}

}  // namespace inferd
