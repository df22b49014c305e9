#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

namespace inferd {

// How much memory the requests of all models take at this moment, against a limit. Thread-safe,
// without a lock.
class InflightBytes {
 public:
  explicit InflightBytes(int64_t limit) : limit_(limit) {}
  InflightBytes(const InflightBytes&) = delete;
  InflightBytes& operator=(const InflightBytes&) = delete;

  int64_t limit() const { return limit_; }
  int64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  friend class InflightCharge;

  const int64_t limit_;
  std::atomic<int64_t> used_{0};
};

// One request's part of InflightBytes, given back when it is destroyed. Used by one thread at a
// time.
class InflightCharge {
 public:
  explicit InflightCharge(InflightBytes* total) : total_(total) {}
  ~InflightCharge() { Set(0); }
  InflightCharge(const InflightCharge&) = delete;
  InflightCharge& operator=(const InflightCharge&) = delete;

  int64_t bytes() const { return bytes_; }
  // RESOURCE_EXHAUSTED, with nothing added, where the limit would be passed.
  absl::Status Add(int64_t bytes);
  // Sets this request's part whatever the limit says: for memory that is taken already.
  void Set(int64_t bytes);

 private:
  InflightBytes* const total_;
  int64_t bytes_ = 0;
};

}  // namespace inferd
