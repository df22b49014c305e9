#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace inferd {

// Which requests are traced. A value type.
struct TraceSettings {
  bool timestamps = false;    // the level TIMESTAMPS; without a level nothing is traced
  bool tensors = false;       // the level TENSORS: names, types and shapes as well
  int64_t rate = 1000;        // each so many-th request; those that come sampled are always traced
  int64_t count = -1;         // so many traces more; -1 = without end
  int64_t log_frequency = 0;  // send after each so many traces; 0 = by time

  bool enabled() const { return timestamps || tensors; }
};

// Settings that replace others where they are set. A value type.
struct TraceOverrides {
  std::optional<std::pair<bool, bool>> level;  // timestamps, tensors
  std::optional<int64_t> rate;
  std::optional<int64_t> count;
  std::optional<int64_t> log_frequency;

  TraceSettings ApplyTo(TraceSettings settings) const;
  bool empty() const { return !level && !rate && !count && !log_frequency; }
};

// Puts one setting, by its name in the TraceSetting call, into `overrides`; no values clear it.
// INVALID_ARGUMENT for an unknown or read-only name and for a value that is none.
absl::Status ChangeTraceSetting(const std::string& name, absl::Span<const std::string> values,
                                TraceOverrides* overrides);

}  // namespace inferd
