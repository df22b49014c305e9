#include "engine/plan/weight_store.h"

#include <utility>

#include "engine/core/fingerprint.h"
#include "engine/core/status_macros.h"
#include "engine/graph/derived_constant.h"

namespace inferd {
namespace {

// `bytes` that count themselves in `total` and keep `constant` alive.
std::shared_ptr<void> Counted(std::shared_ptr<void> memory, int64_t bytes, Tensor constant,
                              std::shared_ptr<std::atomic<int64_t>> total) {
  total->fetch_add(bytes);
  void* data = memory.get();
  return std::shared_ptr<void>(data,
                               [bytes, total = std::move(total), constant = std::move(constant),
                                memory = std::move(memory)](void*) mutable {
                                 total->fetch_sub(bytes);
                                 memory.reset();
                               });
}

}  // namespace

// The mutex is held while packing, so that others who want the same copy wait for it.
struct WeightStore::Entry {
  Mutex mutex;
  std::weak_ptr<const PackedWeights> packed ABSL_GUARDED_BY(mutex);
  std::string name ABSL_GUARDED_BY(mutex);  // of its section in the cache file; empty: not saved
};

WeightStore::WeightStore(const WeightStore* lender)
    : lender_(lender), packed_bytes_(std::make_shared<std::atomic<int64_t>>(0)) {}
WeightStore::~WeightStore() = default;

absl::StatusOr<std::shared_ptr<const PackedWeights>> WeightStore::GetOrPack(
    const Tensor& constant, absl::string_view layout, int64_t bytes,
    absl::FunctionRef<absl::Status(void* packed)> pack) {
  const Key key = KeyOf(constant, layout);
  if (lender_ != nullptr) {
    if (std::shared_ptr<const PackedWeights> lent = lender_->Find(key)) return lent;
  }
  const std::shared_ptr<Entry> entry = FindOrAddEntry(key);
  MutexLock lock(&entry->mutex);
  if (std::shared_ptr<const PackedWeights> packed = entry->packed.lock()) return packed;
  if (named_) {
    const std::string text = absl::StrCat(ConstantOrigin(constant), "\n", layout);
    entry->name = absl::StrCat("weights ", FingerprintOf(text).ToHex());
    if (auto cached = FindCached(entry->name, bytes)) {
      entry->packed = cached;
      return cached;
    }
  }
  std::shared_ptr<void> memory = memory_.Allocate(bytes);
  if (memory == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("out of memory for ", bytes, " bytes of packed weights"));
  }
  std::shared_ptr<void> data =
      Counted(std::move(memory), bytes, constant.recoverable() == nullptr ? constant : Tensor(),
              packed_bytes_);
  RETURN_IF_ERROR(pack(data.get()));
  auto packed = std::make_shared<const PackedWeights>(std::move(data), bytes);
  entry->packed = packed;
  return packed;
}

void WeightStore::FinishPacking() {
  buffers_.Drop();
  memory_.FinishPacking();
}

void WeightStore::UseCache(std::shared_ptr<const SectionFile> cached) {
  named_ = true;
  cached_ = std::move(cached);
}

std::shared_ptr<const PackedWeights> WeightStore::FindCached(const std::string& name,
                                                             int64_t bytes) const {
  const SectionFile::Section* section = cached_ == nullptr ? nullptr : cached_->Find(name);
  if (section == nullptr || static_cast<int64_t>(section->bytes.size()) != bytes) return nullptr;
  packed_bytes_->fetch_add(bytes);
  std::shared_ptr<const void> data(
      section->bytes.data(),
      [file = cached_, total = packed_bytes_, bytes](const void*) { total->fetch_sub(bytes); });
  return std::make_shared<const PackedWeights>(std::move(data), bytes);
}

std::vector<SectionFile::Section> WeightStore::Sections(
    std::vector<std::shared_ptr<const PackedWeights>>* owners) const {
  std::vector<std::shared_ptr<Entry>> entries;
  {
    MutexLock lock(&mutex_);
    for (const auto& [key, entry] : entries_) entries.push_back(entry);
  }
  std::map<std::string, std::shared_ptr<const PackedWeights>> by_name;
  for (const auto& entry : entries) {
    MutexLock lock(&entry->mutex);
    // Equal bytes under two keys are one section.
    if (auto packed = entry->packed.lock(); packed != nullptr && !entry->name.empty()) {
      by_name.emplace(entry->name, std::move(packed));
    }
  }
  std::vector<SectionFile::Section> sections;
  for (auto& [name, packed] : by_name) {
    sections.push_back(
        {name, {static_cast<const char*>(packed->data()), static_cast<size_t>(packed->size())}});
    owners->push_back(std::move(packed));
  }
  return sections;
}

WeightStore::Key WeightStore::KeyOf(const Tensor& constant, absl::string_view layout) {
  if (const RecoverableBytes* bytes = constant.recoverable()) {
    return {{nullptr, bytes->size()}, absl::StrCat(bytes->origin(), "\n", layout)};
  }
  return {{constant.raw(), constant.byte_size()}, std::string(layout)};
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

std::shared_ptr<const PackedWeights> WeightStore::Find(const Key& key) const {
  std::shared_ptr<Entry> entry;
  {
    MutexLock lock(&mutex_);
    auto it = entries_.find(key);
    if (it == entries_.end()) return nullptr;
    entry = it->second;
  }
  MutexLock lock(&entry->mutex);
  return entry->packed.lock();
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
