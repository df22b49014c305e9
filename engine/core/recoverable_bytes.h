#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/mutex.h"

namespace inferd {

class RecoverySet;

// A large constant's bytes, which are in memory only while somebody reads them: the first reader
// has them filled in from where they came from - a span of the model file, which is read again
// through the descriptor it was opened with, or a computation on other constants - and they go when
// every kernel holds them packed. A file's own bytes serve as the source rather than the packed
// copy, since many packed layouts (Winograd's) do not give the plain bytes back.
// The address is reserved from the start and never changes, so it is the constant's identity.
// Owned by Tensors; a member of its model's RecoverySet. Thread-safe.
class RecoverableBytes : public std::enable_shared_from_this<RecoverableBytes> {
 public:
  // Writes all bytes to `to`, the same ones each time; may be called by many threads at once.
  using Fill = std::function<absl::Status(void* to)>;

  // Constants smaller than this are not worth a page boundary of their own.
  static constexpr int64_t kLeastBytes = 32 << 10;

  // `origin` says which bytes these are, also to another process that has the same model file:
  // equal origins mean equal bytes. RESOURCE_EXHAUSTED when the address range is not to be had.
  static absl::StatusOr<std::shared_ptr<RecoverableBytes>> Make(std::shared_ptr<RecoverySet> set,
                                                                int64_t size, std::string origin,
                                                                Fill fill);
  ~RecoverableBytes();
  RecoverableBytes(const RecoverableBytes&) = delete;
  RecoverableBytes& operator=(const RecoverableBytes&) = delete;

  const void* address() const { return address_; }
  int64_t size() const { return size_; }
  const std::string& origin() const { return origin_; }
  const std::shared_ptr<RecoverySet>& set() const { return set_; }

  // Has the bytes at address(). They stay while the caller's RecoverySet::Reading does, unless it
  // releases them itself. When they cannot be had they read as zeros and the set's status says so.
  void Load() {
    if (!resident_.load(std::memory_order_acquire)) Recover();
  }
  // Has the bytes at address() for as long as the result lives.
  std::shared_ptr<const void> Pin();
  // Writes the bytes to `to`, without keeping them here.
  absl::Status CopyTo(void* to) const;
  // Gives the memory back, unless pinned or a Reading other than the caller's might use it.
  void Release();

 private:
  friend class RecoverySet;
  RecoverableBytes(std::shared_ptr<RecoverySet> set, void* address, int64_t size,
                   std::string origin, Fill fill);
  void Recover();
  void ReleaseIfUnpinned();
  void Unpin();

  const std::shared_ptr<RecoverySet> set_;
  void* const address_;
  const int64_t size_;
  const std::string origin_;
  const Fill fill_;
  std::atomic<bool> resident_{false};  // written under mutex_
  mutable Mutex mutex_;
  int pins_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The recoverable bytes of one model. Bytes are read under a Reading, and go when the last one of
// them ends. Thread-safe.
class RecoverySet : public std::enable_shared_from_this<RecoverySet> {
 public:
  // Held while constants may be read: while passes run and while a plan is made. The set must
  // outlive it.
  class Reading {
   public:
    explicit Reading(RecoverySet& set);
    ~Reading();
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    // The first failure to recover bytes since no Reading was there: what was made meanwhile may
    // come from zeros and must not be used.
    absl::Status status() const;

   private:
    RecoverySet& set_;
  };

  // Bytes in memory now.
  int64_t resident_bytes() const { return resident_bytes_.load(); }

 private:
  friend class RecoverableBytes;
  void Add(const std::shared_ptr<RecoverableBytes>& member);
  // Gives up `member`'s memory when at most `readings` readings are going on.
  void ReleaseUnderReadings(RecoverableBytes& member, int readings);
  void NoteFailure(const absl::Status& status);

  std::atomic<int64_t> resident_bytes_{0};
  // Taken before a member's mutex.
  Mutex mutex_;
  int readings_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::weak_ptr<RecoverableBytes>> members_ ABSL_GUARDED_BY(mutex_);
  // Taken after a member's mutex.
  mutable Mutex failure_mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(failure_mutex_);
};

}  // namespace inferd
