#pragma once

#include <string>

#include "absl/time/time.h"
#include "loadtest/options.h"
#include "loadtest/recorder.h"

namespace inferd::loadtest {

// One line about the last second: answers a second, latencies, errors.
std::string ProgressLine(absl::Duration since_start, absl::Duration window, const Counts& recent,
                         int in_flight);

// The result for people, several lines.
std::string TextReport(const Options& options, const Counts& total);

// The result for programs: one JSON object. Latencies in milliseconds, rates per second.
std::string JsonReport(const Options& options, const Counts& total);

}  // namespace inferd::loadtest
