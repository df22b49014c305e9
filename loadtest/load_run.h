#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"
#include "loadtest/infer_client.h"
#include "loadtest/options.h"
#include "loadtest/recorder.h"
#include "proto/inference.pb.h"

namespace inferd::loadtest {

// Sends one request again and again, for the warm-up and the counted time, and waits for the last
// answer. Open loop: requests leave at the instants of a schedule and their latency counts from the
// scheduled instant, so that a stall of the server or of this client shows. Closed loop: a fixed
// number is in flight and latency counts from sending. Used by one thread at a time.
class LoadRun {
 public:
  // All of them must outlive the run.
  LoadRun(const Options& options, const inference::ModelInferRequest& request, InferClient* client,
          Recorder* recorder);

  // Blocks until the run is over.
  void Run();

  int in_flight() const { return in_flight_; }

 private:
  void RunOpenLoop();
  void RunClosedLoop();
  // Sends one request whose latency counts from `due`; in a closed loop its answer sends the next.
  void Send(absl::Time due);
  void Finish(absl::Time due, const absl::Status& status,
              const inference::ModelInferResponse& response);
  void WaitUntilIdle();

  const Options& options_;
  const inference::ModelInferRequest& request_;
  InferClient* const client_;
  Recorder* const recorder_;
  absl::Time counted_from_;
  absl::Time end_;

  std::atomic<int> in_flight_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
};

}  // namespace inferd::loadtest
