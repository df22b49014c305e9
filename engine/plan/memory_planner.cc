#include "engine/plan/memory_planner.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace inferd {
namespace {

constexpr int64_t kAlignment = 64;

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

struct Placed {
  int64_t begin;
  int64_t end;
};

// The start of the smallest gap of at least `bytes` between `busy` (sorted by begin); past the last
// one when none fits.
int64_t BestGap(const std::vector<Placed>& busy, int64_t bytes) {
  int64_t best = -1;
  int64_t best_size = std::numeric_limits<int64_t>::max();
  int64_t cursor = 0;
  for (const Placed& block : busy) {
    const int64_t gap = block.begin - cursor;
    if (gap >= bytes && gap < best_size) {
      best = cursor;
      best_size = gap;
    }
    cursor = std::max(cursor, block.end);
  }
  return best >= 0 ? best : cursor;
}

}  // namespace

MemoryLayout PlanMemory(const std::vector<BlockRequest>& requests) {
  MemoryLayout layout;
  layout.offsets.assign(requests.size(), 0);
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return requests[a].bytes > requests[b].bytes; });
  std::vector<size_t> done;
  std::vector<Placed> busy;
  for (size_t index : order) {
    const BlockRequest& request = requests[index];
    busy.clear();
    for (size_t other : done) {
      if (requests[other].first <= request.last && request.first <= requests[other].last) {
        busy.push_back(
            {layout.offsets[other], layout.offsets[other] + Aligned(requests[other].bytes)});
      }
    }
    std::sort(busy.begin(), busy.end(),
              [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    layout.offsets[index] = BestGap(busy, Aligned(request.bytes));
    layout.bytes = std::max(layout.bytes, layout.offsets[index] + Aligned(request.bytes));
    done.push_back(index);
  }
  return layout;
}

}  // namespace inferd
