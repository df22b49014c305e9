#include "server/repository/model_table.h"

#include <utility>

#include "absl/hash/hash.h"

namespace inferd {

absl::string_view ModelStateName(ModelState state) {
  switch (state) {
    case ModelState::kUnknown:
      return "UNKNOWN";
    case ModelState::kLoading:
      return "LOADING";
    case ModelState::kReady:
      return "READY";
    case ModelState::kUnloading:
      return "UNLOADING";
    case ModelState::kUnavailable:
      return "UNAVAILABLE";
  }
  return "UNKNOWN";
}

ModelHandle ModelEntry::Newest() const {
  MutexLock lock(&mutex_);
  for (auto it = versions_.rbegin(); it != versions_.rend(); ++it) {
    if (it->second.model) return it->second.model;
  }
  return nullptr;
}

bool ModelEntry::Find(int64_t version, Version* found) const {
  MutexLock lock(&mutex_);
  const auto it = versions_.find(version);
  if (it == versions_.end()) return false;
  *found = it->second;
  return true;
}

std::map<int64_t, ModelEntry::Version> ModelEntry::Versions() const {
  MutexLock lock(&mutex_);
  return versions_;
}

void ModelEntry::Set(int64_t version, Version value) {
  {
    MutexLock lock(&mutex_);
    std::swap(versions_[version], value);
  }
  // `value` is now the old one: a model is never destroyed under the lock.
}

void ModelEntry::SetState(int64_t version, ModelState state, std::string reason) {
  Set(version, {state, std::move(reason), nullptr});
}

void ModelEntry::Remove(int64_t version) {
  Version removed;
  MutexLock lock(&mutex_);
  const auto it = versions_.find(version);
  if (it == versions_.end()) return;
  removed = std::move(it->second);
  versions_.erase(it);
}

void ModelEntry::EndUnloading(int64_t version) {
  MutexLock lock(&mutex_);
  const auto it = versions_.find(version);
  if (it == versions_.end() || it->second.state != ModelState::kUnloading) return;
  it->second = {ModelState::kUnavailable, "unloaded", nullptr, false};
}

void ModelEntry::SetAliases(std::map<std::string, int64_t> aliases) {
  MutexLock lock(&mutex_);
  aliases_ = {std::make_move_iterator(aliases.begin()), std::make_move_iterator(aliases.end())};
}

int64_t ModelEntry::FindAlias(absl::string_view alias) const {
  MutexLock lock(&mutex_);
  const auto it = aliases_.find(alias);
  return it == aliases_.end() ? 0 : it->second;
}

ModelTable::~ModelTable() {
  for (std::atomic<ModelEntry*>& bucket : buckets_) {
    ModelEntry* entry = bucket.load(std::memory_order_relaxed);
    while (entry != nullptr) delete std::exchange(entry, entry->next_);
  }
}

size_t ModelTable::BucketOf(absl::string_view name) {
  return absl::Hash<absl::string_view>()(name) % kBuckets;
}

ModelEntry* ModelTable::Find(absl::string_view name) const {
  ModelEntry* entry = buckets_[BucketOf(name)].load(std::memory_order_acquire);
  while (entry != nullptr && entry->name_ != name) entry = entry->next_;
  return entry;
}

ModelEntry* ModelTable::Add(absl::string_view name) {
  MutexLock lock(&add_mutex_);
  if (ModelEntry* known = Find(name)) return known;
  std::atomic<ModelEntry*>& bucket = buckets_[BucketOf(name)];
  auto entry = std::make_unique<ModelEntry>(std::string(name.data(), name.size()));
  entry->next_ = bucket.load(std::memory_order_relaxed);
  bucket.store(entry.get(), std::memory_order_release);
  return entry.release();
}

void ModelTable::ForEach(const std::function<void(const ModelEntry&)>& visit) const {
  for (const std::atomic<ModelEntry*>& bucket : buckets_) {
    const ModelEntry* entry = bucket.load(std::memory_order_acquire);
    for (; entry != nullptr; entry = entry->next_) visit(*entry);
  }
}

}  // namespace inferd
