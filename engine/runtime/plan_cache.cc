#include "engine/runtime/plan_cache.h"

#include <algorithm>
#include <utility>

#include "engine/core/status_macros.h"

namespace inferd {

PlanCache::PlanCache(int max_plans, Bind bind)
    : max_plans_(std::max(1, max_plans)), bind_(std::move(bind)) {}

absl::StatusOr<std::unique_ptr<Executor>> PlanCache::BorrowExecutor(
    const std::vector<Shape>& shapes) {
  std::shared_ptr<const Plan> plan;
  {
    MutexLock lock(&mutex_);
    ASSIGN_OR_RETURN(const std::shared_ptr<Entry> entry, FindOrBind(shapes));
    ++entry->uses;
    if (!entry->idle.empty()) {
      std::unique_ptr<Executor> executor = std::move(entry->idle.back());
      entry->idle.pop_back();
      return executor;
    }
    plan = entry->plan;
  }
  return std::make_unique<Executor>(std::move(plan));
}

void PlanCache::ReturnExecutor(const std::vector<Shape>& shapes,
                               std::unique_ptr<Executor> executor) {
  MutexLock lock(&mutex_);
  auto it = entries_.find(shapes);
  if (it == entries_.end() || it->second->plan.get() != &executor->plan()) return;
  if (it->second->idle.size() < kMaxIdleExecutors) it->second->idle.push_back(std::move(executor));
}

absl::StatusOr<std::shared_ptr<const Plan>> PlanCache::PlanFor(const std::vector<Shape>& shapes) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(const std::shared_ptr<Entry> entry, FindOrBind(shapes));
  return entry->plan;
}

void PlanCache::Replace(const std::vector<Shape>& shapes, std::shared_ptr<const Plan> plan) {
  // Let go without the lock: kernels may free much.
  std::vector<std::unique_ptr<Executor>> old_executors;
  MutexLock lock(&mutex_);
  const auto it = entries_.find(shapes);
  if (it == entries_.end() || !it->second->ready) return;
  it->second->plan.swap(plan);
  old_executors.swap(it->second->idle);
}

void PlanCache::Clear() {
  // Let go without the lock: kernels may free much.
  std::vector<std::shared_ptr<Entry>> old_entries;
  MutexLock lock(&mutex_);
  for (auto it = recency_.begin(); it != recency_.end();) {
    const auto entry = entries_.find(*it);
    // Entries still being bound stay: their callers wait for them.
    if (!entry->second->ready) {
      ++it;
      continue;
    }
    old_entries.push_back(std::move(entry->second));
    entries_.erase(entry);
    it = recency_.erase(it);
  }
}

std::optional<std::vector<Shape>> PlanCache::TakeUntuned() {
  MutexLock lock(&mutex_);
  const std::vector<Shape>* most_used = nullptr;
  Entry* found = nullptr;
  for (const auto& [shapes, entry] : entries_) {
    if (!entry->ready || entry->tuned || (found != nullptr && entry->uses <= found->uses)) continue;
    most_used = &shapes;
    found = entry.get();
  }
  if (found == nullptr) return std::nullopt;
  found->tuned = true;
  return *most_used;
}

absl::StatusOr<std::shared_ptr<PlanCache::Entry>> PlanCache::FindOrBind(
    const std::vector<Shape>& shapes) {
  auto it = entries_.find(shapes);
  if (it != entries_.end()) {
    std::shared_ptr<Entry> entry = it->second;
    while (!entry->ready) bound_.Wait(&mutex_);
    if (!entry->status.ok()) return entry->status;
    // It may have been dropped between its binding and our waking.
    it = entries_.find(shapes);
    if (it != entries_.end() && it->second == entry) {
      recency_.splice(recency_.begin(), recency_, entry->recency);
    }
    return entry;
  }
  auto entry = std::make_shared<Entry>();
  recency_.push_front(shapes);
  entry->recency = recency_.begin();
  entries_.emplace(shapes, entry);
  mutex_.Unlock();
  absl::StatusOr<std::shared_ptr<const Plan>> plan = bind_(shapes);
  mutex_.Lock();
  entry->ready = true;
  bound_.SignalAll();
  if (!plan.ok()) {
    entry->status = plan.status();
    recency_.erase(entry->recency);
    entries_.erase(shapes);
    return plan.status();
  }
  entry->plan = *std::move(plan);
  DropOldest();
  return entry;
}

void PlanCache::DropOldest() {
  auto oldest = recency_.end();
  while (static_cast<int>(entries_.size()) > max_plans_ && oldest != recency_.begin()) {
    --oldest;
    auto it = entries_.find(*oldest);
    // Entries still being bound stay: their callers wait for them.
    if (!it->second->ready) continue;
    entries_.erase(it);
    oldest = recency_.erase(oldest);
  }
}

std::vector<std::vector<Shape>> PlanCache::MostUsed(size_t limit) const {
  std::vector<std::pair<int64_t, std::vector<Shape>>> found;
  {
    MutexLock lock(&mutex_);
    for (const auto& [shapes, entry] : entries_) {
      if (entry->ready) found.emplace_back(entry->uses, shapes);
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  found.resize(std::min(found.size(), limit));
  std::vector<std::vector<Shape>> shapes;
  for (auto& entry : found) shapes.push_back(std::move(entry.second));
  return shapes;
}

int PlanCache::num_plans() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(entries_.size());
}

int64_t PlanCache::largest_arena_bytes() const {
  return Largest([](const Plan& plan) { return plan.arena_bytes; });
}

int64_t PlanCache::largest_workspace_bytes() const {
  return Largest([](const Plan& plan) { return plan.arena_bytes - plan.scratch_offset; });
}

int64_t PlanCache::Largest(absl::FunctionRef<int64_t(const Plan& plan)> bytes_of) const {
  MutexLock lock(&mutex_);
  int64_t largest = 0;
  for (const auto& [shapes, entry] : entries_) {
    if (entry->ready && entry->plan) largest = std::max(largest, bytes_of(*entry->plan));
  }
  return largest;
}

}  // namespace inferd
