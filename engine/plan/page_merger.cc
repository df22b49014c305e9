#include "engine/plan/page_merger.h"

#include <sys/resource.h>

#include <utility>

#include "engine/core/pages.h"

namespace inferd {

PageMerger::~PageMerger() {
  std::thread last;
  {
    MutexLock lock(&mutex_);
    stop_ = true;
    last = std::move(thread_);
  }
  if (last.joinable()) last.join();
}

void PageMerger::Add(std::weak_ptr<void> memory, int64_t bytes) {
  if (bytes < kHugePageBytes) return;
  MutexLock lock(&mutex_);
  ranges_.push_back({std::move(memory), bytes});
}

void PageMerger::Start() {
  MutexLock lock(&mutex_);
  if (running_ || stop_ || ranges_.empty()) return;
  // It has ended, or is about to without taking the lock again.
  if (thread_.joinable()) thread_.join();
  running_ = true;
  thread_ = std::thread([this] { Run(); });
}

void PageMerger::Wait() {
  MutexLock lock(&mutex_);
  while (running_) ended_.Wait(&mutex_);
}

void PageMerger::Run() {
  // Of this thread alone on Linux. A page that is being moved stops whoever reads it, so requests
  // that keep all cores busy go first.
  setpriority(PRIO_PROCESS, 0, 19);
  bool useful = true;
  while (true) {
    Range range;
    {
      MutexLock lock(&mutex_);
      if (!useful) ranges_.clear();
      if (stop_ || ranges_.empty()) {
        running_ = false;
        ended_.SignalAll();
        return;
      }
      range = std::move(ranges_.back());
      ranges_.pop_back();
    }
    useful = Merge(range);
  }
}

bool PageMerger::Merge(const Range& range) {
  for (int64_t offset = 0; offset + kHugePageBytes <= range.bytes; offset += kHugePageBytes) {
    // Held for one page at a time: whoever unloads the model must not have to wait.
    const std::shared_ptr<void> memory = range.memory.lock();
    if (memory == nullptr) return true;
    if (stopped()) return false;
    if (!MergePages(static_cast<char*>(memory.get()) + offset)) return false;
  }
  return true;
}

bool PageMerger::stopped() {
  MutexLock lock(&mutex_);
  return stop_;
}

}  // namespace inferd
