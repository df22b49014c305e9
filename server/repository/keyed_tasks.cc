#include "server/repository/keyed_tasks.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace inferd {

KeyedTasks::KeyedTasks(int threads, std::function<void()> begin) : begin_(std::move(begin)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

void KeyedTasks::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

KeyedTasks::~KeyedTasks() {
  Stop();
  MutexLock lock(&mutex_);
  for (auto& [key, line] : lines_) {
    for (Task& task : line.tasks) task(false);
  }
}

absl::Status KeyedTasks::Submit(const std::string& key, Task task) {
  {
    MutexLock lock(&mutex_);
    if (waiting_ >= kMaxWaiting) {
      return absl::ResourceExhaustedError(
          absl::StrCat(waiting_, " loads and unloads wait already; try again later"));
    }
  }
  SubmitAnyway(key, std::move(task));
  return absl::OkStatus();
}

void KeyedTasks::SubmitAnyway(const std::string& key, Task task) {
  {
    MutexLock lock(&mutex_);
    Line& line = lines_[key];
    if (line.tasks.empty() && !line.running) ready_.push_back(key);
    line.tasks.push_back(std::move(task));
    ++waiting_;
  }
  wake_.Signal();
}

void KeyedTasks::Loop() {
  begin_();
  while (true) {
    std::string key;
    Task task;
    {
      MutexLock lock(&mutex_);
      while (ready_.empty() && !stopping_) wake_.Wait(&mutex_);
      if (stopping_) return;
      key = std::move(ready_.front());
      ready_.pop_front();
      Line& line = lines_[key];
      line.running = true;
      task = std::move(line.tasks.front());
      line.tasks.pop_front();
      --waiting_;
    }
    task(true);
    task = nullptr;
    MutexLock lock(&mutex_);
    Line& line = lines_[key];
    line.running = false;
    if (line.tasks.empty()) {
      lines_.erase(key);
    } else {
      ready_.push_back(key);
      wake_.Signal();
    }
  }
}

}  // namespace inferd
