#include "server/scheduler/request_queue.h"

#include <tuple>
#include <utility>

namespace inferd {

RequestQueue::LaneKey RequestQueue::KeyOf(const InferRequest& request) const {
  LaneKey key;
  for (const Tensor& input : request.inputs) {
    key.push_back(input.rank());
    for (int i = first_key_dim_; i < input.rank(); ++i) key.push_back(input.dim(i));
  }
  return key;
}

const RequestQueue::Lanes::value_type* RequestQueue::NextLane() const {
  const Lanes::value_type* next = nullptr;
  for (const Lanes::value_type& lane : lanes_) {
    if (next == nullptr) {
      next = &lane;
      continue;
    }
    const Slot& head = lane.second.slots.front();
    const Slot& best = next->second.slots.front();
    if (std::tie(head.entry.level, head.sequence) < std::tie(best.entry.level, best.sequence)) {
      next = &lane;
    }
  }
  return next;
}

int64_t RequestQueue::next_rows() const { return lanes_.empty() ? 0 : NextLane()->second.rows; }

absl::Time RequestQueue::next_queued() const {
  return lanes_.empty() ? absl::InfiniteFuture() : NextLane()->second.slots.front().entry.queued;
}

absl::Time RequestQueue::next_expiry() const {
  return expiries_.empty() ? absl::InfiniteFuture() : expiries_.begin()->first;
}

void RequestQueue::Push(Entry entry, bool joinable) {
  const auto lane = lanes_.try_emplace(joinable ? KeyOf(*entry.request) : LaneKey()).first;
  std::list<Slot>& slots = lane->second.slots;
  auto at = slots.end();
  while (at != slots.begin() && std::prev(at)->entry.level > entry.level) --at;
  const absl::Time expiry = entry.expiry;
  lane->second.rows += entry.request->rows;
  rows_ += entry.request->rows;
  const auto slot = slots.insert(at, Slot{std::move(entry), next_sequence_++, expiries_.end()});
  if (expiry < absl::InfiniteFuture()) {
    slot->expiry = expiries_.emplace(expiry, std::make_pair(lane, slot));
  }
  ++requests_;
}

RequestQueue::Entry RequestQueue::Take(Lanes::iterator lane, std::list<Slot>::iterator slot) {
  Entry entry = std::move(slot->entry);
  if (slot->expiry != expiries_.end()) expiries_.erase(slot->expiry);
  lane->second.slots.erase(slot);
  lane->second.rows -= entry.request->rows;
  rows_ -= entry.request->rows;
  --requests_;
  return entry;
}

size_t RequestQueue::CountBatch(const Lane& lane, const BatchLimits& limits) {
  if (!limits.may_join) return 1;
  size_t count = 0;
  int64_t rows = 0;
  size_t preferred_count = 0;
  bool leaves_old = false;
  for (const Slot& slot : lane.slots) {
    const int64_t more = slot.entry.request->rows;
    if (count > 0 && more > limits.max_rows - rows) break;
    leaves_old = leaves_old || (preferred_count > 0 && slot.entry.queued <= limits.keep_before);
    rows += more;
    ++count;
    for (const int64_t preferred : limits.preferred_rows) {
      if (rows != preferred) continue;
      preferred_count = count;
      leaves_old = false;
    }
  }
  return preferred_count > 0 && !leaves_old ? preferred_count : count;
}

std::vector<RequestQueue::Entry> RequestQueue::PopBatch(const BatchLimits& limits) {
  std::vector<Entry> batch;
  if (lanes_.empty()) return batch;
  const auto lane = lanes_.find(NextLane()->first);
  const size_t count = CountBatch(lane->second, limits);
  batch.reserve(count);
  while (batch.size() < count) batch.push_back(Take(lane, lane->second.slots.begin()));
  if (lane->second.slots.empty()) lanes_.erase(lane);
  return batch;
}

std::vector<RequestQueue::Entry> RequestQueue::PopExpired(absl::Time now) {
  std::vector<Entry> expired;
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const auto [lane, slot] = expiries_.begin()->second;
    expired.push_back(Take(lane, slot));
    if (lane->second.slots.empty()) lanes_.erase(lane);
  }
  return expired;
}

template <typename Wanted>
std::vector<RequestQueue::Entry> RequestQueue::PopWhere(const Wanted& wanted) {
  std::vector<Entry> popped;
  for (auto lane = lanes_.begin(); lane != lanes_.end();) {
    std::list<Slot>& slots = lane->second.slots;
    for (auto slot = slots.begin(); slot != slots.end();) {
      const auto next = std::next(slot);
      if (wanted(*slot->entry.request)) popped.push_back(Take(lane, slot));
      slot = next;
    }
    lane = slots.empty() ? lanes_.erase(lane) : std::next(lane);
  }
  return popped;
}

std::vector<RequestQueue::Entry> RequestQueue::PopCancelled() {
  return PopWhere([](const InferRequest& request) { return request.IsCancelled(); });
}

std::vector<RequestQueue::Entry> RequestQueue::PopAll() {
  return PopWhere([](const InferRequest&) { return true; });
}

}  // namespace inferd
