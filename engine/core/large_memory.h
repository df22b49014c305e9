#pragma once

#include <cstdint>

namespace inferd {

// Memory that std::free releases, aligned to at least 64 bytes; null when there is none. From 2 MiB
// on it lies on huge pages where the system has some to give: weights and arenas are read from end
// to end by every run, and prefetching stops at the end of each small page.
void* AllocateLarge(int64_t bytes);

}  // namespace inferd
