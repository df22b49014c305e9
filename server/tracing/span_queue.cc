#include "server/tracing/span_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/clock.h"

namespace inferd {

void SpanQueue::Push(std::vector<Span> spans) {
  // Spans that go are destroyed without the lock.
  std::vector<Span> oldest;
  {
    MutexLock lock(&mutex_);
    std::move(spans.begin(), spans.end(), std::back_inserter(spans_));
    while (static_cast<int64_t>(spans_.size()) > max_spans_) {
      oldest.push_back(std::move(spans_.front()));
      spans_.pop_front();
    }
    changed_.SignalAll();
  }
  CountDropped(static_cast<int64_t>(oldest.size()));
}

void SpanQueue::Flush() {
  MutexLock lock(&mutex_);
  flush_ = true;
  changed_.SignalAll();
}

void SpanQueue::Close() {
  MutexLock lock(&mutex_);
  closed_ = true;
  changed_.SignalAll();
}

std::vector<Span> SpanQueue::Take(size_t count, absl::Duration timeout) {
  const absl::Time until = absl::Now() + timeout;
  MutexLock lock(&mutex_);
  while (spans_.size() < count && !flush_ && !closed_) {
    const absl::Duration left = until - absl::Now();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(&mutex_, left);
  }
  const auto end = spans_.begin() + std::min(count, spans_.size());
  std::vector<Span> taken(std::make_move_iterator(spans_.begin()), std::make_move_iterator(end));
  spans_.erase(spans_.begin(), end);
  if (spans_.empty()) flush_ = false;
  return taken;
}

bool SpanQueue::closed() const {
  MutexLock lock(&mutex_);
  return closed_;
}

int64_t SpanQueue::size() const {
  MutexLock lock(&mutex_);
  return static_cast<int64_t>(spans_.size());
}

}  // namespace inferd
