#include "engine/device_placement.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace inferd {
namespace {

// Of a new time in the moving average.
constexpr double kWeight = 0.2;

// Sizes of one power of two are alike.
int ClassOf(int64_t bytes) {
  int size_class = 0;
  while (bytes > 1 && size_class < 63) {
    bytes /= 2;
    ++size_class;
  }
  return size_class;
}

}  // namespace

DevicePlacement::DevicePlacement(int devices, int most_running, Usable usable,
                                 std::function<absl::Time()> now)
    : most_running_(most_running),
      usable_(std::move(usable)),
      now_(std::move(now)),
      devices_(devices) {}

DevicePlacement::Ticket DevicePlacement::Begin(int64_t bytes) {
  const int size_class = ClassOf(bytes);
  MutexLock lock(&mutex_);
  int chosen = Choose(size_class, now_());
  while (chosen < 0) {
    ended_.Wait(&mutex_);
    chosen = Choose(size_class, now_());
  }
  const absl::Time start = now_();
  Device& device = devices_[chosen];
  ++device.running;
  device.free_at = std::max(device.free_at, start) + device.times[size_class];
  return {chosen, size_class, start};
}

int DevicePlacement::Choose(int size_class, absl::Time now) const {
  const int count = static_cast<int>(devices_.size());
  bool any_usable = false;
  for (int i = 0; i < count; ++i) any_usable = any_usable || usable_(i);
  int best = -1;
  const auto rank = [&](const Device& device) {
    return std::make_tuple(std::max(device.free_at, now) + device.times[size_class],
                           device.running);
  };
  for (int i = 0; i < count; ++i) {
    if (any_usable && !usable_(i)) continue;
    if (most_running_ > 0 && devices_[i].running >= most_running_) continue;
    if (best < 0 || rank(devices_[i]) < rank(devices_[best])) best = i;
  }
  return best;
}

void DevicePlacement::End(const Ticket& ticket, bool failed) {
  MutexLock lock(&mutex_);
  const absl::Time now = now_();
  Device& device = devices_[ticket.device];
  // What it shared the device with came first.
  const absl::Duration took = now - std::max(ticket.start, device.last_end);
  absl::Duration& average = device.times[ticket.size_class];
  if (!failed) {
    average = average == absl::ZeroDuration() ? took : average + kWeight * (took - average);
  }
  device.last_end = now;
  if (--device.running == 0) device.free_at = now;
  ended_.SignalAll();
}

}  // namespace inferd
