#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/core/mutex.h"
#include "server/tracing/span.h"

namespace inferd {

// Finished spans that wait to be sent: at most so many, the oldest are dropped for new ones, so
// that a collector that is slow or away costs memory up to a bound and no request any time.
// Thread-safe.
class SpanQueue {
 public:
  explicit SpanQueue(int64_t max_spans) : max_spans_(max_spans) {}
  SpanQueue(const SpanQueue&) = delete;
  SpanQueue& operator=(const SpanQueue&) = delete;

  void Push(std::vector<Span> spans);
  // Makes Take return what there is.
  void Flush();
  // Take returns at once from now on.
  void Close();

  // Waits until there are `count` spans, or at most `timeout`, or until Flush() or Close(); then at
  // most `count` spans, the oldest first.
  std::vector<Span> Take(size_t count, absl::Duration timeout);
  bool closed() const;

  // Since the start; those that could not be sent are counted as dropped by who tried.
  void CountDropped(int64_t spans) { dropped_.fetch_add(spans, std::memory_order_relaxed); }
  int64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  int64_t size() const;

 private:
  const int64_t max_spans_;
  std::atomic<int64_t> dropped_{0};
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Span> spans_ ABSL_GUARDED_BY(mutex_);
  bool flush_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace inferd
