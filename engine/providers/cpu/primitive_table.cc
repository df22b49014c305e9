#include "engine/providers/cpu/primitive_table.h"

#include "engine/core/status_macros.h"

namespace inferd::cpu {

absl::StatusOr<std::shared_ptr<const DnnlPrimitive>> PrimitiveTable::GetOrCreate(
    const std::string& key, absl::FunctionRef<absl::StatusOr<DnnlPrimitive>()> create) {
  {
    MutexLock lock(&mutex_);
    if (auto found = FindLocked(key)) {
      ++hits_;
      return found;
    }
  }
  // Creation generates code for up to a millisecond, so it runs unlocked.
  ASSIGN_OR_RETURN(DnnlPrimitive created, create());
  auto primitive = std::make_shared<const DnnlPrimitive>(std::move(created));
  MutexLock lock(&mutex_);
  if (auto found = FindLocked(key)) return found;
  recent_.push_front({key, primitive});
  index_[key] = recent_.begin();
  if (static_cast<int>(recent_.size()) > capacity_) {
    index_.erase(recent_.back().key);
    recent_.pop_back();
  }
  return primitive;
}

std::shared_ptr<const DnnlPrimitive> PrimitiveTable::FindLocked(const std::string& key) {
  auto it = index_.find(key);
  if (it == index_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second);
  return it->second->primitive;
}

int PrimitiveTable::size() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(recent_.size());
}

int64_t PrimitiveTable::hits() const {
  MutexLock lock(&mutex_);
  return hits_;
}

}  // namespace inferd::cpu
