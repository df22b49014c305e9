#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "engine/core/mutex.h"

namespace inferd {

// Puts memory that was filled on small pages, since huge ones were slow to come, onto huge ones,
// which are read faster, after a model can already serve: a thread of lower priority that ends when
// there is nothing left to do. Owned by a WeightStore. Thread-safe.
class PageMerger {
 public:
  PageMerger() = default;
  ~PageMerger();
  PageMerger(const PageMerger&) = delete;
  PageMerger& operator=(const PageMerger&) = delete;

  // Memory that begins where a huge page may, whose turn comes after the next Start.
  void Add(std::weak_ptr<void> memory, int64_t bytes);
  // Begins in the background.
  void Start();
  // Returns when the background has nothing to do.
  void Wait();

 private:
  struct Range {
    std::weak_ptr<void> memory;
    int64_t bytes;
  };

  void Run();
  // False when there is no use in going on.
  bool Merge(const Range& range);
  bool stopped();

  Mutex mutex_;
  std::vector<Range> ranges_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  CondVar ended_;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace inferd
