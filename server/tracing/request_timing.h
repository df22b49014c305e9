#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace inferd {

// Where a request's time went. Filled in by the batcher before `complete` is called, except
// compute_output, which is known when `complete` has returned.
struct RequestTiming {
  absl::Duration queue;           // from Infer() to the start of its batch
  absl::Duration compute_input;   // joining the rows
  absl::Duration compute_infer;   // the execution
  absl::Duration compute_output;  // splitting the rows and `complete`
  int64_t batch_rows = 0;         // rows of the execution that it was part of; 0 if none

  // When each of these began; InfinitePast where it did not.
  absl::Time queued = absl::InfinitePast();
  absl::Time computed = absl::InfinitePast();
  absl::Time replied = absl::InfinitePast();
};

}  // namespace inferd
