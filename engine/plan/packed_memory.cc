#include "engine/plan/packed_memory.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/core/pages.h"
#include "engine/core/rounding.h"

namespace inferd {
namespace {

constexpr int64_t kAlignment = 64;

// The first weights of a model, which may be all: a huge page would be most of what it takes.
constexpr int64_t kFirstBytes = int64_t{1} << 20;
// From this size on these come from the system, which has them back at once.
constexpr int64_t kPagesFrom = 64 << 10;

constexpr int64_t kSlabBytes = 16 * kHugePageBytes;
// Larger weights have a mapping of their own.
constexpr int64_t kLargestCut = kSlabBytes / 4;

std::shared_ptr<void> AllocateSmall(int64_t bytes) {
  if (bytes >= kPagesFrom) return AllocateSmallPages(bytes);
  void* data = std::aligned_alloc(kAlignment, bytes);
  if (data == nullptr) return nullptr;
  std::memset(data, 0, bytes);
  return std::shared_ptr<void>(data, std::free);
}

}  // namespace

std::shared_ptr<void> PackedMemory::Allocate(int64_t bytes) {
  const int64_t rounded = RoundUp(std::max<int64_t>(bytes, 1), kAlignment);
  MutexLock lock(&mutex_);
  if (first_bytes_ + rounded <= kFirstBytes) {
    first_bytes_ += rounded;
    return AllocateSmall(rounded);
  }
  return rounded <= kLargestCut ? Cut(rounded) : Whole(rounded);
}

std::shared_ptr<void> PackedMemory::Whole(int64_t bytes) {
  std::shared_ptr<void> memory = AllocatePages(bytes);
  if (memory != nullptr) Provide(memory, bytes);
  return memory;
}

std::shared_ptr<void> PackedMemory::Cut(int64_t bytes) {
  if (slab_.memory == nullptr || slab_.used + bytes > kSlabBytes) {
    auto memory = std::static_pointer_cast<char>(AllocatePages(kSlabBytes));
    if (memory == nullptr) return nullptr;
    slab_ = {.memory = std::move(memory)};
  }
  char* const begin = slab_.memory.get() + slab_.used;
  slab_.used += bytes;
  if (const int64_t needed = RoundUp(slab_.used, kHugePageBytes); needed > slab_.provided) {
    Provide({slab_.memory, slab_.memory.get() + slab_.provided}, needed - slab_.provided);
    slab_.provided = needed;
  }
  return std::shared_ptr<void>(
      begin, [slab = slab_.memory, bytes](void* cut) { ReturnPages(cut, bytes); });
}

void PackedMemory::Provide(const std::shared_ptr<void>& memory, int64_t bytes) {
  if (slow_) {
    ProvideSmallPages(memory.get(), bytes);
  } else {
    slow_ = !ProvideHugePages(memory.get(), bytes);
  }
  if (slow_) merger_.Add(memory, bytes);
}

void PackedMemory::FinishPacking() {
  merger_.Start();
  MutexLock lock(&mutex_);
  slow_ = false;
}

}  // namespace inferd
