#include "engine/runtime/core_slots.h"

#include <omp.h>
#include <sched.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "engine/core/pages.h"

namespace inferd {
namespace {

constexpr int64_t kAlignment = 64;

// Cores that a quota of `quota_us` in each `period_us` gives, rounded up; 0 for no quota.
int CoresOfQuota(int64_t quota_us, int64_t period_us) {
  if (quota_us <= 0 || period_us <= 0) return 0;
  return static_cast<int>((quota_us + period_us - 1) / period_us);
}

int CgroupCores() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  int64_t period = 0;
  if (v2 >> quota >> period) {
    return quota == "max" ? 0 : CoresOfQuota(std::atoll(quota.c_str()), period);
  }
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  int64_t quota_us = 0;
  if (v1_quota >> quota_us && v1_period >> period) return CoresOfQuota(quota_us, period);
  return 0;
}

}  // namespace

std::byte* CoreSlot::Arena(int64_t bytes) {
  if (bytes <= arena_bytes_) return static_cast<std::byte*>(arena_.get());
  const int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  arena_.reset();
  arena_bytes_ = 0;
  arena_ = AllocatePages(rounded);
  if (arena_ == nullptr) return nullptr;
  arena_bytes_ = rounded;
  return static_cast<std::byte*>(arena_.get());
}

void CoreSlot::ReleaseArena(int64_t most) {
  if (arena_bytes_ > most) {
    arena_.reset();
    arena_bytes_ = 0;
  }
  if (nested_ != nullptr) nested_->ReleaseArena(most);
}

int AvailableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = 1;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) cores = std::max(1, CPU_COUNT(&set));
  const int quota = CgroupCores();
  return quota > 0 ? std::min(cores, quota) : cores;
}

void PrepareThread(int threads) {
  omp_set_num_threads(threads);
#if defined(__x86_64__)
  // Threads inherit it. 1 << 15: results become zero; 1 << 6: so do operands.
  _mm_setcsr(_mm_getcsr() | 1u << 15 | 1u << 6);
#endif
}

void ReleaseOpenMpThreads() { omp_pause_resource(omp_pause_soft, omp_get_initial_device()); }

CoreSlots::CoreSlots(int count, int threads_per_slot) : threads_per_slot_(threads_per_slot) {
  for (int i = 0; i < count; ++i) {
    threads_.emplace_back([this, threads_per_slot] { Loop(threads_per_slot); });
  }
}

CoreSlots::~CoreSlots() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

void CoreSlots::Submit(Task task) {
  {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.Signal();
}

bool CoreSlots::TryRunHere(absl::FunctionRef<void(CoreSlot&)> task) {
  std::unique_ptr<CoreSlot> slot;
  {
    MutexLock lock(&mutex_);
    if (stopping_ || !tasks_.empty() || idle_ <= 0) return false;
    --idle_;
    if (!spare_.empty()) {
      slot = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  if (slot == nullptr) slot = std::make_unique<CoreSlot>(threads_per_slot_);
  PrepareThread(threads_per_slot_);
  task(*slot);
  MutexLock lock(&mutex_);
  ++idle_;
  spare_.push_back(std::move(slot));
  return true;
}

void CoreSlots::RunAndWait(const Task& task) {
  Mutex mutex;
  CondVar done_changed;
  bool done = false;
  Submit([&](CoreSlot& slot) {
    task(slot);
    MutexLock lock(&mutex);
    done = true;
    done_changed.Signal();
  });
  MutexLock lock(&mutex);
  while (!done) done_changed.Wait(&mutex);
}

void CoreSlots::ReleaseArenas(int64_t most) {
  std::vector<std::unique_ptr<CoreSlot>> spare;
  {
    MutexLock lock(&mutex_);
    ++releases_;
    most_arena_bytes_ = most;
    spare.swap(spare_);
  }
  wake_.SignalAll();
  for (const auto& slot : spare) slot->ReleaseArena(most);
  MutexLock lock(&mutex_);
  std::move(spare.begin(), spare.end(), std::back_inserter(spare_));
}

int CoreSlots::idle() const {
  MutexLock lock(&mutex_);
  return std::max(0, idle_ - static_cast<int>(tasks_.size()));
}

int CoreSlots::unoccupied() const {
  MutexLock lock(&mutex_);
  // A thread may wake while TryRunHere has counted its slot as taken.
  return std::max(0, idle_);
}

int CoreSlots::waiting() const {
  MutexLock lock(&mutex_);
  return static_cast<int>(tasks_.size());
}

void CoreSlots::Loop(int threads) {
  PrepareThread(threads);
  CoreSlot slot(threads);
  uint64_t released = 0;
  while (true) {
    Task task;
    int64_t most = 0;
    {
      MutexLock lock(&mutex_);
      ++idle_;
      while (tasks_.empty() && !stopping_ && released == releases_) wake_.Wait(&mutex_);
      --idle_;
      if (released != releases_) {
        released = releases_;
        most = most_arena_bytes_;
      } else {
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
    }
    task ? task(slot) : slot.ReleaseArena(most);
  }
}

}  // namespace inferd
