#pragma once

#include <cstdint>
#include <vector>

namespace inferd {

// A block of an arena that must keep its bytes from step `first` to step `last`, both included.
struct BlockRequest {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct MemoryLayout {
  std::vector<int64_t> offsets;  // one a request, 64-byte aligned
  int64_t bytes = 0;             // the arena's size
};

// Places blocks so that those alive at the same step do not overlap: largest first, each into the
// smallest gap that fits between the blocks it lives beside (greedy by size; Pisarchyk and Lee
// 2020).
MemoryLayout PlanMemory(const std::vector<BlockRequest>& requests);

}  // namespace inferd
