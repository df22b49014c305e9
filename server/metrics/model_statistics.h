#pragma once

#include <cstdint>
#include <map>

#include "absl/time/time.h"

namespace inferd {

// How often something happened, and how long that took in total.
struct DurationSum {
  uint64_t count = 0;
  absl::Duration total;

  void Add(absl::Duration duration, uint64_t times = 1) {
    count += times;
    total += duration;
  }
};

// What one size of executed batch cost.
struct BatchStatistics {
  DurationSum compute_input;
  DurationSum compute_infer;
  DurationSum compute_output;
};

// What a model version has done since it was loaded, as the ModelStatistics RPC reports it.
// A value type.
struct ModelStatistics {
  absl::Time last_inference = absl::InfinitePast();  // InfinitePast = none yet
  uint64_t inference_count = 0;                      // rows of successful requests
  uint64_t execution_count = 0;                      // executions, whatever their size
  DurationSum success;                               // whole requests
  DurationSum fail;
  DurationSum queue;  // of successful requests, as the three below
  DurationSum compute_input;
  DurationSum compute_infer;
  DurationSum compute_output;
  std::map<int64_t, BatchStatistics> batches;  // by rows
};

}  // namespace inferd
