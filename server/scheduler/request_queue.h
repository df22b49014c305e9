#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/scheduler/infer_request.h"

namespace inferd {

// What may go into one batch.
struct BatchLimits {
  int64_t max_rows = 1;
  bool may_join = false;  // false: one request a batch
  // Ascending. A batch is cut at the largest that it can meet exactly, unless a request that would
  // stay behind was queued before `keep_before`.
  absl::Span<const int64_t> preferred_rows;
  absl::Time keep_before = absl::InfiniteFuture();
};

// A model's waiting requests: bounded, ordered by priority level, then by arrival. Requests whose
// shapes differ beyond dimension 0 (with `packs`: beyond dimension 1) wait in separate lanes, so
// that they never share a batch and a lane never holds up another: the lane whose head has waited
// longest goes first. Owned by a batcher. Used by one thread at a time.
class RequestQueue {
 public:
  struct Entry {
    std::unique_ptr<InferRequest> request;
    absl::Time queued;
    absl::Time expiry;  // when it is no longer worth running
    uint32_t level = 0;
  };

  explicit RequestQueue(int64_t max_requests, bool packs = false)
      : max_requests_(max_requests), first_key_dim_(packs ? 2 : 1) {}

  bool full() const { return requests_ >= max_requests_; }
  int64_t requests() const { return requests_; }
  int64_t rows() const { return rows_; }
  int64_t max_requests() const { return max_requests_; }
  // Rows in the lane that goes next, and when its head was queued.
  int64_t next_rows() const;
  absl::Time next_queued() const;
  // The earliest expiry; InfiniteFuture when none is finite.
  absl::Time next_expiry() const;

  // Requires !full(). `joinable` requests get the lane of their shapes.
  void Push(Entry entry, bool joinable);
  // Takes the next batch, at least one request where there is any. A request larger than max_rows
  // comes alone.
  std::vector<Entry> PopBatch(const BatchLimits& limits);
  std::vector<Entry> PopExpired(absl::Time now);
  std::vector<Entry> PopCancelled();
  std::vector<Entry> PopAll();

 private:
  using LaneKey = absl::InlinedVector<int64_t, 12>;
  struct Slot;
  struct Lane {
    std::list<Slot> slots;
    int64_t rows = 0;
  };
  using Lanes = std::map<LaneKey, Lane>;
  using Expiries = std::multimap<absl::Time, std::pair<Lanes::iterator, std::list<Slot>::iterator>>;
  struct Slot {
    Entry entry;
    uint64_t sequence = 0;
    Expiries::iterator expiry;
  };

  LaneKey KeyOf(const InferRequest& request) const;
  // Null when there is none.
  const Lanes::value_type* NextLane() const;
  // How many requests of `lane` go into the next batch.
  static size_t CountBatch(const Lane& lane, const BatchLimits& limits);
  Entry Take(Lanes::iterator lane, std::list<Slot>::iterator slot);
  template <typename Wanted>
  std::vector<Entry> PopWhere(const Wanted& wanted);

  const int64_t max_requests_;
  const int first_key_dim_;  // dimensions from here on must be equal in a batch
  int64_t requests_ = 0;
  int64_t rows_ = 0;
  uint64_t next_sequence_ = 0;
  Lanes lanes_;  // none is empty
  Expiries expiries_;
};

}  // namespace inferd
