#pragma once

#include <map>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "loadtest/latency_histogram.h"
#include "proto/inference.pb.h"

namespace inferd::loadtest {

// What became of the requests of a run, or of its last second. A value type.
struct Counts {
  LatencyHistogram latencies;                  // of the answered ones
  std::map<std::string, int64_t> errors;       // by status code name
  std::map<std::string, std::string> samples;  // the first message of each code
  int64_t unequal = 0;                         // answers that differ from the first
  int64_t unsent = 0;                          // open loop: too many in flight already

  int64_t answered() const { return latencies.count(); }
  int64_t failed() const;
};

// Collects results from gRPC's threads. Thread-safe.
class Recorder {
 public:
  // With `check_equal`, answers are compared with the first one.
  explicit Recorder(bool check_equal) : check_equal_(check_equal) {}

  // `counted` is false while warming up: then only the first answer is kept.
  void Record(absl::Duration latency, const absl::Status& status,
              const inference::ModelInferResponse& response, bool counted);
  void RecordUnsent();

  // Everything since the beginning.
  Counts Total() const;
  // Everything since the last call, for progress.
  Counts TakeRecent();

 private:
  bool DiffersFromFirst(const inference::ModelInferResponse& response);  // under mutex_

  const bool check_equal_;
  mutable std::mutex mutex_;
  Counts total_;
  Counts recent_;
  bool has_first_ = false;
  inference::ModelInferResponse first_;
};

}  // namespace inferd::loadtest
