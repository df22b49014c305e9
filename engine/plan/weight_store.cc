#include "engine/plan/weight_store.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/core/large_memory.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

// Zeroed bytes that count themselves in `total` and keep `constant` alive.
std::shared_ptr<void> AllocateCounted(int64_t bytes, Tensor constant,
                                      std::shared_ptr<std::atomic<int64_t>> total) {
  void* data = AllocateLarge(bytes);
  if (data == nullptr) return nullptr;
  std::memset(data, 0, static_cast<size_t>(bytes));
  total->fetch_add(bytes);
  return std::shared_ptr<void>(
      data, [bytes, total = std::move(total), constant = std::move(constant)](void* p) {
        std::free(p);
        total->fetch_sub(bytes);
      });
}

}  // namespace

// The mutex is held while packing, so that others who want the same copy wait for it.
struct WeightStore::Entry {
  Mutex mutex;
  std::weak_ptr<const PackedWeights> packed ABSL_GUARDED_BY(mutex);
};

WeightStore::WeightStore() : packed_bytes_(std::make_shared<std::atomic<int64_t>>(0)) {}
WeightStore::~WeightStore() = default;

absl::StatusOr<std::shared_ptr<const PackedWeights>> WeightStore::GetOrPack(
    const Tensor& constant, absl::string_view layout, int64_t bytes,
    absl::FunctionRef<absl::Status(void* packed)> pack) {
  const Key key({constant.raw(), constant.byte_size()}, std::string(layout));
  const std::shared_ptr<Entry> entry = FindOrAddEntry(key);
  MutexLock lock(&entry->mutex);
  if (std::shared_ptr<const PackedWeights> packed = entry->packed.lock()) return packed;
  std::shared_ptr<void> data = AllocateCounted(bytes, constant, packed_bytes_);
  if (data == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for ", bytes, " bytes of packed weights"));
  }
  RETURN_IF_ERROR(pack(data.get()));
  auto packed = std::make_shared<const PackedWeights>(std::move(data), bytes);
  entry->packed = packed;
  return packed;
}

std::shared_ptr<WeightStore::Entry> WeightStore::FindOrAddEntry(const Key& key) {
  MutexLock lock(&mutex_);
  std::shared_ptr<Entry>& entry = entries_[key];
  if (entry == nullptr) {
    entry = std::make_shared<Entry>();
    std::shared_ptr<Entry> added = entry;
    DropDeadEntries();
    return added;
  }
  return entry;
}

void WeightStore::DropDeadEntries() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    Entry& entry = *it->second;
    // An entry somebody else holds is being packed or asked for, so it is not dead.
    bool dead = it->second.use_count() == 1;
    if (dead) {
      MutexLock lock(&entry.mutex);
      dead = entry.packed.expired();
    }
    it = dead ? entries_.erase(it) : std::next(it);
  }
}

bool WeightStore::Has(const Tensor& constant, absl::string_view layout) const {
  const Key key({constant.raw(), constant.byte_size()}, std::string(layout));
  std::shared_ptr<Entry> entry;
  {
    MutexLock lock(&mutex_);
    auto it = entries_.find(key);
    if (it == entries_.end()) return false;
    entry = it->second;
  }
  MutexLock lock(&entry->mutex);
  return !entry->packed.expired();
}

int64_t WeightStore::packed_bytes() const { return packed_bytes_->load(); }

int WeightStore::num_packed() const {
  MutexLock lock(&mutex_);
  int count = 0;
  for (const auto& [key, entry] : entries_) {
    MutexLock entry_lock(&entry->mutex);
    count += entry->packed.expired() ? 0 : 1;
  }
  return count;
}

}  // namespace inferd
