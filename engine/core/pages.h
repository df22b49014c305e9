#pragma once

#include <cstdint>
#include <memory>

namespace inferd {

// Zeroed memory straight from the system, aligned to a page, which takes pages only as they are
// written and gets them back when the last owner goes; malloc would keep large blocks for later.
// From 2 MiB on it lies on huge pages where the system has some to give: weights and arenas are
// read from end to end by every run, and prefetching stops at the end of each small page. Null when
// there is none.
std::shared_ptr<void> AllocatePages(int64_t bytes);

// The same on small pages, which MergePages can make huge later.
std::shared_ptr<void> AllocateSmallPages(int64_t bytes);

// Has the system provide all pages of memory that will be written from end to end, at less than a
// fault for each costs. Advice only.
void ProvidePages(void* address, int64_t bytes);

// Provides memory of AllocatePages on huge pages while they come as fast as small ones do, and the
// rest on small ones; false when there was a rest. A virtual machine gives free huge pages back to
// its host, and having one again can take ten times as long as to clear it.
bool ProvideHugePages(void* address, int64_t bytes);

// The same on small pages, which MergePages can make huge later.
void ProvideSmallPages(void* address, int64_t bytes);

// Gives the small pages that lie wholly in [address, address + bytes) back to the system; when they
// are written again they are zeroed ones.
void ReturnPages(void* address, int64_t bytes);

// The size of huge pages, at multiples of which they begin.
inline constexpr int64_t kHugePageBytes = int64_t{1} << 21;

// Moves the small pages of [address, address + kHugePageBytes), where a huge page may begin, to a
// huge one. Others may read and write them meanwhile. False when the system does not do it.
bool MergePages(void* address);

}  // namespace inferd
