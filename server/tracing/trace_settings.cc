#include "server/tracing/trace_settings.h"

#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace inferd {
namespace {

absl::Status Wrong(const std::string& name, const std::string& expected,
                   absl::Span<const std::string> values) {
  return absl::InvalidArgumentError(absl::StrCat("trace setting '", name, "': expected ", expected,
                                                 ", got '",
                                                 absl::StrJoin(values, ",").substr(0, 200), "'"));
}

absl::Status ReadLevel(const std::string& name, absl::Span<const std::string> values,
                       std::optional<std::pair<bool, bool>>* level) {
  std::pair<bool, bool> read(false, false);
  for (const std::string& value : values) {
    if (absl::EqualsIgnoreCase(value, "OFF")) {
      if (values.size() > 1) return Wrong(name, "OFF alone", values);
    } else if (absl::EqualsIgnoreCase(value, "TIMESTAMPS")) {
      read.first = true;
    } else if (absl::EqualsIgnoreCase(value, "TENSORS")) {
      read.second = true;
    } else {
      return Wrong(name, "OFF, TIMESTAMPS, TENSORS", values);
    }
  }
  *level = read;
  return absl::OkStatus();
}

absl::Status ReadNumber(const std::string& name, int64_t least,
                        absl::Span<const std::string> values, std::optional<int64_t>* number) {
  constexpr int64_t kMost = 0xffffffff;
  int64_t value;
  if (values.size() != 1 || !absl::SimpleAtoi(values[0], &value) || value < least ||
      value > kMost) {
    return Wrong(name, absl::StrCat("one number from ", least, " to ", kMost), values);
  }
  *number = value;
  return absl::OkStatus();
}

}  // namespace

TraceSettings TraceOverrides::ApplyTo(TraceSettings settings) const {
  if (level) std::tie(settings.timestamps, settings.tensors) = *level;
  settings.rate = rate.value_or(settings.rate);
  settings.count = count.value_or(settings.count);
  settings.log_frequency = log_frequency.value_or(settings.log_frequency);
  return settings;
}

absl::Status ChangeTraceSetting(const std::string& name, absl::Span<const std::string> values,
                                TraceOverrides* overrides) {
  if (name == "trace_file" || name == "trace_mode") {
    return absl::InvalidArgumentError(
        absl::StrCat("trace setting '", name, "' cannot be changed: traces go to --otlp-endpoint"));
  }
  if (name == "trace_level") {
    overrides->level.reset();
    return values.empty() ? absl::OkStatus() : ReadLevel(name, values, &overrides->level);
  }
  std::optional<int64_t>* number = nullptr;
  if (name == "trace_rate") number = &overrides->rate;
  if (name == "trace_count") number = &overrides->count;
  if (name == "log_frequency") number = &overrides->log_frequency;
  if (number == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("trace setting '", name.substr(0, 300),
                     "' is not known; known: trace_level, trace_rate, trace_count, log_frequency"));
  }
  number->reset();
  if (values.empty()) return absl::OkStatus();
  const int64_t least = name == "trace_count" ? -1 : name == "trace_rate" ? 1 : 0;
  return ReadNumber(name, least, values, number);
}

}  // namespace inferd
