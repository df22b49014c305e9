#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inferd {

// What one says about a list of latencies, in its unit. A value type.
struct LatencySummary {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  double mean = 0;
};

// Percentiles by nearest rank; all zero for an empty list.
LatencySummary Summarize(std::vector<double> latencies);

// `text` as a JSON string with its quotes.
std::string JsonString(absl::string_view text);

}  // namespace inferd
