#pragma once

#include <array>
#include <cstdint>

#include "absl/time/time.h"

namespace inferd {

// What an execution of so many rows takes: a moving average for each power of two of rows. Owned by
// a model's batcher. Used by one thread at a time.
class LatencyProfile {
 public:
  // Adds one measured execution.
  void Observe(int64_t rows, absl::Duration duration);

  // The expected time; zero while nothing has been measured. Sizes that have not been seen are
  // scaled from the nearest one that has, in proportion to their rows.
  absl::Duration Estimate(int64_t rows) const;

 private:
  struct Size {
    int64_t observations = 0;
    double rows = 0;     // moving averages
    double seconds = 0;
  };
  static int SizeOf(int64_t rows);

  std::array<Size, 32> sizes_;
};

}  // namespace inferd
