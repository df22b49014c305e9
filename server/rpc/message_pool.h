#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/core/mutex.h"

namespace inferd {

// Parsed messages kept for the next request, so that their memory is not asked for again; a bound
// in bytes. Split into shards whose locks are only tried, never waited for. Thread-safe.
template <typename Message>
class MessagePool {
 public:
  // A message out of the pool. Used by one thread at a time.
  struct Entry {
    Message message;
    int64_t bytes = 0;  // upper bound of the memory that `message` holds
    size_t shard = 0;   // where it goes back to: where the thread that takes looks first
  };

  // A message is kept while the pool's messages hold at most `limit_bytes` together, and this one
  // at most `message_limit_bytes`.
  MessagePool(int64_t limit_bytes, int64_t message_limit_bytes)
      : limit_bytes_(limit_bytes), message_limit_bytes_(message_limit_bytes) {}
  MessagePool(const MessagePool&) = delete;
  MessagePool& operator=(const MessagePool&) = delete;

  int64_t held_bytes() const { return held_bytes_.load(std::memory_order_relaxed); }

  // A message with its fields cleared.
  std::unique_ptr<Entry> Take() {
    const size_t index = std::hash<std::thread::id>()(std::this_thread::get_id()) % kShards;
    Shard& shard = shards_[index];
    if (shard.mutex.TryLock()) {
      std::unique_ptr<Entry> entry;
      if (!shard.entries.empty()) {
        entry = std::move(shard.entries.back());
        shard.entries.pop_back();
      }
      shard.mutex.Unlock();
      if (entry != nullptr) {
        held_bytes_.fetch_sub(entry->bytes, std::memory_order_relaxed);
        return entry;
      }
    }
    auto entry = std::make_unique<Entry>();
    entry->shard = index;
    return entry;
  }

  // Takes a message back that held up to `used_bytes` since Take(); frees it where a bound says so.
  void Give(std::unique_ptr<Entry> entry, int64_t used_bytes) {
    // Cleared fields keep their memory, each its largest use: the sum of all uses bounds it.
    entry->bytes += kEntryBytes + used_bytes;
    entry->message.Clear();
    if (entry->bytes > message_limit_bytes_) {
      if (used_bytes > message_limit_bytes_) return;
      entry->bytes = kEntryBytes + static_cast<int64_t>(entry->message.SpaceUsedLong());
      if (entry->bytes > message_limit_bytes_) return;
    }
    Keep(std::move(entry));
  }

 private:
  static constexpr int kShards = 16;
  static constexpr int64_t kEntryBytes = 512;

  struct alignas(64) Shard {
    Mutex mutex;
    std::vector<std::unique_ptr<Entry>> entries ABSL_GUARDED_BY(mutex);
  };

  void Keep(std::unique_ptr<Entry> entry) {
    const int64_t bytes = entry->bytes;
    if (held_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_bytes_) {
      Shard& shard = shards_[entry->shard];
      if (shard.mutex.TryLock()) {
        shard.entries.push_back(std::move(entry));
        shard.mutex.Unlock();
        return;
      }
    }
    held_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }

  const int64_t limit_bytes_;
  const int64_t message_limit_bytes_;
  std::atomic<int64_t> held_bytes_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace inferd
