#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "engine/core/mutex.h"

namespace inferd {

// A core's share of the process: a thread, its OpenMP threads and an arena grown to the largest
// plan it runs. Used by one thread at a time: the one that holds it.
class CoreSlot {
 public:
  explicit CoreSlot(int threads) : threads_(threads) {}
  CoreSlot(const CoreSlot&) = delete;
  CoreSlot& operator=(const CoreSlot&) = delete;

  int threads() const { return threads_; }
  // At least `bytes` of 64-byte aligned memory; grows, keeps nothing of the old contents.
  // Null when memory runs out.
  std::byte* Arena(int64_t bytes);
  int64_t arena_bytes() const { return arena_bytes_; }
  // Gives back an arena of more than `most` bytes.
  void ReleaseArena(int64_t most);
  // The slot for what runs within a step of this one's plan: bodies of If, Loop and Scan.
  CoreSlot& Nested() {
    if (nested_ == nullptr) nested_ = std::make_unique<CoreSlot>(threads_);
    return *nested_;
  }

 private:
  int threads_;
  int64_t arena_bytes_ = 0;
  std::shared_ptr<void> arena_;
  std::unique_ptr<CoreSlot> nested_;
};

// Cores this process may use: the cgroup v2 or v1 CPU quota rounded up, at most the affinity mask.
int AvailableCores();

// Every thread that compiles or runs calls this first. Sets its OpenMP team size, and has it and
// the team that it starts take numbers below 1.2e-38 for zero, as what they read and as results: on
// x86-64 arithmetic with them takes a hundred times as long, so that silence, or whoever sends such
// numbers, would keep a core busy.
void PrepareThread(int threads);

// Lets the calling thread's OpenMP team go, if it has one. Threads that compiled and will not run
// call it: where there are more teams than cores, libgomp lets none of them spin between two steps,
// which costs a plan of many short steps most of its time.
void ReleaseOpenMpThreads();

// The process's core slots: tasks run on them in the order submitted. Thread-safe.
class CoreSlots {
 public:
  using Task = std::function<void(CoreSlot&)>;

  // `count` slots of `threads_per_slot` OpenMP threads each.
  CoreSlots(int count, int threads_per_slot);
  // Runs what was submitted, then joins.
  ~CoreSlots();
  CoreSlots(const CoreSlots&) = delete;
  CoreSlots& operator=(const CoreSlots&) = delete;

  int count() const { return static_cast<int>(threads_.size()); }
  int threads_per_slot() const { return threads_per_slot_; }
  // Never blocks. Tasks must not throw; a task may submit others.
  void Submit(Task task);
  // Runs `task` on the calling thread, with a slot of its own, when a slot is idle and no task
  // waits; else returns false and runs nothing. For work that is shorter than waking a thread.
  bool TryRunHere(absl::FunctionRef<void(CoreSlot&)> task);
  // Runs `task` on a slot and waits for it.
  void RunAndWait(const Task& task);
  // Has every slot give back an arena of more than `most` bytes, which no model needs any more,
  // before its next task. Does not wait for that.
  void ReleaseArenas(int64_t most);
  // Slots with no task, and tasks waiting.
  int idle() const;
  int waiting() const;
  // Slots that run no task now, whether or not a waiting one is about to get them.
  int unoccupied() const;

 private:
  void Loop(int threads);

  const int threads_per_slot_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
  int idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // How often arenas were to be given back, and what they may have since.
  uint64_t releases_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t most_arena_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Slots of TryRunHere that are not in use, at most as many as there are threads.
  std::vector<std::unique_ptr<CoreSlot>> spare_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace inferd
