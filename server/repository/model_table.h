#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/core/mutex.h"
#include "server/repository/model_handle.h"

namespace inferd {

// What a version is doing; the names are the repository index's.
enum class ModelState : uint8_t { kUnknown, kLoading, kReady, kUnloading, kUnavailable };

// "READY", "LOADING", ...
absl::string_view ModelStateName(ModelState state);

// Everything known of one model name. Owned by ModelTable; never goes away. Thread-safe: its own
// lock is held only to read or change a few words.
class ModelEntry {
 public:
  struct Version {
    ModelState state = ModelState::kUnknown;
    std::string reason;
    ModelHandle model;  // set exactly while READY
    // False for what nobody asked to have: unloaded, or not loaded yet under explicit control.
    bool wanted = true;
  };

  explicit ModelEntry(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  // The newest READY version; null when there is none.
  ModelHandle Newest() const;
  // One version as it is now; false when it is not known.
  bool Find(int64_t version, Version* found) const;
  // All versions, by number. Version 0 stands for a model without any usable version.
  std::map<int64_t, Version> Versions() const;
  // Changes a version's state; the handle it had is dropped outside the lock.
  void Set(int64_t version, Version value);
  void SetState(int64_t version, ModelState state, std::string reason = "");
  // Forgets a version; its handle is dropped outside the lock.
  void Remove(int64_t version);
  // A version whose last user is gone: UNAVAILABLE if it is still UNLOADING.
  void EndUnloading(int64_t version);

  // Names that stand for versions.
  void SetAliases(std::map<std::string, int64_t> aliases);
  // 0 for a name that is none.
  int64_t FindAlias(absl::string_view alias) const;

 private:
  friend class ModelTable;

  const std::string name_;
  ModelEntry* next_ = nullptr;  // constant once the entry can be found
  mutable Mutex mutex_;
  std::map<int64_t, Version> versions_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int64_t, std::less<>> aliases_ ABSL_GUARDED_BY(mutex_);
};

// Model entries by name: a hash table that only grows, so that finding takes no lock. Thread-safe.
class ModelTable {
 public:
  ModelTable() = default;
  ~ModelTable();
  ModelTable(const ModelTable&) = delete;
  ModelTable& operator=(const ModelTable&) = delete;

  // Null for an unknown name.
  ModelEntry* Find(absl::string_view name) const;
  // Finds or adds.
  ModelEntry* Add(absl::string_view name);
  // Calls `visit` for every entry, in no order.
  void ForEach(const std::function<void(const ModelEntry&)>& visit) const;

 private:
  static constexpr size_t kBuckets = 1024;
  static size_t BucketOf(absl::string_view name);

  std::array<std::atomic<ModelEntry*>, kBuckets> buckets_{};
  Mutex add_mutex_;
};

}  // namespace inferd
