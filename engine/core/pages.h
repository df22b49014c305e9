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

}  // namespace inferd
