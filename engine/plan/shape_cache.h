#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "engine/core/mutex.h"
#include "engine/core/tensor.h"

namespace inferd {

// What was made for the types of the tensors that something was run with, at most kCapacity of the
// most recent ones. Meant for what may run without: making is put off until types come back, so
// that those seen once cost nothing, and others go on without it meanwhile. Thread-safe.
template <typename T>
class ShapeCache {
 public:
  static constexpr size_t kCapacity = 8;

  // Null when there is nothing for these tensors (null entries are absent). `make` runs when they
  // are seen for the second time, or at once, and once even if it returns null.
  std::shared_ptr<const T> FindOrMake(absl::Span<const Tensor* const> tensors, bool at_once,
                                      absl::FunctionRef<std::shared_ptr<const T>()> make) {
    std::shared_ptr<Entry> entry;
    {
      MutexLock lock(&mutex_);
      bool seen = false;
      entry = Touch(tensors, &seen);
      if (entry->state != State::kSeen) return entry->made;
      if (!seen && !at_once) return nullptr;
      entry->state = State::kMade;
    }
    std::shared_ptr<const T> made = make();
    MutexLock lock(&mutex_);
    entry->made = made;
    return made;
  }

 private:
  enum class State : uint8_t { kSeen, kMade };
  struct Key {
    DType dtype = DType::kInvalid;
    Shape shape;
  };
  struct Entry {
    absl::InlinedVector<Key, 4> keys;
    State state = State::kSeen;
    std::shared_ptr<const T> made;
  };

  static bool Matches(const Entry& entry, absl::Span<const Tensor* const> tensors) {
    if (entry.keys.size() != tensors.size()) return false;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const Key& key = entry.keys[i];
      if (tensors[i] == nullptr
              ? key.dtype != DType::kInvalid
              : key.dtype != tensors[i]->dtype() || key.shape != tensors[i]->shape()) {
        return false;
      }
    }
    return true;
  }

  // The entry of these tensors, moved to the front, maybe new in the place of the oldest.
  std::shared_ptr<Entry> Touch(absl::Span<const Tensor* const> tensors, bool* seen)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = std::find_if(recent_.begin(), recent_.end(),
                                    [&](const auto& entry) { return Matches(*entry, tensors); });
    *seen = found != recent_.end();
    if (*seen) {
      std::rotate(recent_.begin(), found, found + 1);
      return recent_.front();
    }
    auto entry = std::make_shared<Entry>();
    for (const Tensor* tensor : tensors) {
      entry->keys.push_back(tensor == nullptr ? Key() : Key{tensor->dtype(), tensor->shape()});
    }
    if (recent_.size() == kCapacity) recent_.pop_back();
    recent_.insert(recent_.begin(), entry);
    return entry;
  }

  Mutex mutex_;
  std::vector<std::shared_ptr<Entry>> recent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
