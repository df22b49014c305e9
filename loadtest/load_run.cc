#include "loadtest/load_run.h"

#include <algorithm>
#include <thread>

#include "loadtest/arrival_schedule.h"

namespace inferd::loadtest {
namespace {

// A sleeping thread wakes some 60 us late; the last stretch is spent spinning.
constexpr absl::Duration kSpin = absl::Microseconds(100);

void WaitUntil(absl::Time instant) {
  const absl::Duration left = instant - absl::Now();
  if (left > kSpin) std::this_thread::sleep_for(absl::ToChronoNanoseconds(left - kSpin));
  while (absl::Now() < instant) std::this_thread::yield();
}

}  // namespace

LoadRun::LoadRun(const Options& options, const inference::ModelInferRequest& request,
                 InferClient* client, Recorder* recorder)
    : options_(options), request_(request), client_(client), recorder_(recorder) {}

void LoadRun::Run() {
  counted_from_ = absl::Now() + absl::Seconds(options_.warmup_seconds);
  end_ = counted_from_ + absl::Seconds(options_.seconds);
  if (options_.rate > 0) {
    RunOpenLoop();
  } else {
    RunClosedLoop();
  }
  WaitUntilIdle();
}

void LoadRun::RunOpenLoop() {
  ArrivalSchedule schedule(options_.rate, options_.seed);
  const absl::Time start = counted_from_ - absl::Seconds(options_.warmup_seconds);
  for (absl::Time due = start + schedule.Next(); due < end_; due = start + schedule.Next()) {
    WaitUntil(due);
    if (in_flight_ >= options_.max_in_flight) {
      recorder_->RecordUnsent();
      continue;
    }
    Send(due);
  }
}

void LoadRun::RunClosedLoop() {
  for (int i = 0; i < options_.concurrency; ++i) Send(absl::Now());
}

void LoadRun::Send(absl::Time due) {
  ++in_flight_;
  client_->Infer(
      request_, absl::Seconds(options_.timeout_seconds),
      [this, due](const absl::Status& status, const inference::ModelInferResponse& response) {
        Finish(due, status, response);
      });
}

void LoadRun::Finish(absl::Time due, const absl::Status& status,
                     const inference::ModelInferResponse& response) {
  const absl::Time now = absl::Now();
  recorder_->Record(now - due, status, response, due >= counted_from_);
  if (options_.concurrency > 0 && now < end_) Send(now);
  // Under the lock, so that the run cannot end between the count and the signal.
  const std::lock_guard<std::mutex> lock(mutex_);
  if (--in_flight_ == 0) idle_.notify_all();
}

void LoadRun::WaitUntilIdle() {
  std::unique_lock<std::mutex> lock(mutex_);
  idle_.wait(lock, [&] { return in_flight_ == 0; });
}

}  // namespace inferd::loadtest
