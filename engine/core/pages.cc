#include "engine/core/pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace inferd {
namespace {

constexpr size_t kHugePage = kHugePageBytes;
constexpr size_t kSmallPage = size_t{1} << 12;

size_t RoundUp(size_t value, size_t step) { return (value + step - 1) / step * step; }

void* Map(size_t size) {
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

// A mapping that begins where a huge page may: cut out of one that is larger by a huge page.
// `advice` is for all but the end, which stays small, so that no more memory is taken than asked
// for.
void* MapForHugePages(size_t size, int advice) {
  char* whole = static_cast<char*>(Map(size + kHugePage));
  if (whole == nullptr) return nullptr;
  const size_t before =
      RoundUp(reinterpret_cast<uintptr_t>(whole), kHugePage) - reinterpret_cast<uintptr_t>(whole);
  if (before > 0) munmap(whole, before);
  if (before < kHugePage) munmap(whole + before + size, kHugePage - before);
  // Advice only: where it is refused, small pages do.
  madvise(whole + before, size / kHugePage * kHugePage, advice);
  return whole + before;
}

std::shared_ptr<void> Allocate(int64_t bytes, int advice) {
  const size_t size = RoundUp(static_cast<size_t>(std::max<int64_t>(bytes, 1)), kSmallPage);
  void* address = size < kHugePage ? Map(size) : MapForHugePages(size, advice);
  if (address == nullptr) return nullptr;
  return std::shared_ptr<void>(address, [size](void* p) { munmap(p, size); });
}

// About what as many small pages take.
constexpr std::chrono::microseconds kHugePagePatience{1200};

// MADV_COLLAPSE, which is newer than the headers of Debian 12's C library.
constexpr int kCollapse = 25;

}  // namespace

std::shared_ptr<void> AllocatePages(int64_t bytes) { return Allocate(bytes, MADV_HUGEPAGE); }

std::shared_ptr<void> AllocateSmallPages(int64_t bytes) { return Allocate(bytes, MADV_NOHUGEPAGE); }

void ProvidePages(void* address, int64_t bytes) {
  madvise(address, static_cast<size_t>(bytes), MADV_POPULATE_WRITE);
}

bool ProvideHugePages(void* address, int64_t bytes) {
  char* at = static_cast<char*>(address);
  while (bytes >= kHugePageBytes) {
    const auto start = std::chrono::steady_clock::now();
    ProvidePages(at, kHugePageBytes);
    at += kHugePageBytes;
    bytes -= kHugePageBytes;
    if (std::chrono::steady_clock::now() - start > kHugePagePatience) break;
  }
  const bool rest = bytes >= kHugePageBytes;
  if (rest) {
    ProvideSmallPages(at, bytes);
  } else if (bytes > 0) {
    ProvidePages(at, bytes);
  }
  return !rest;
}

void ProvideSmallPages(void* address, int64_t bytes) {
  madvise(address, static_cast<size_t>(bytes), MADV_NOHUGEPAGE);
  ProvidePages(address, bytes);
}

void ReturnPages(void* address, int64_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(address);
  const uintptr_t first = RoundUp(begin, kSmallPage);
  const uintptr_t last = (begin + static_cast<size_t>(bytes)) / kSmallPage * kSmallPage;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

bool MergePages(void* address) {
  return madvise(address, kHugePage, MADV_HUGEPAGE) == 0 &&
         madvise(address, kHugePage, kCollapse) == 0;
}

}  // namespace inferd
