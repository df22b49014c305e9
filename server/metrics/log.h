#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inferd {

// The server's log: one line on stderr an event, with time and level. Thread-safe.

// What is written and how; may change while the server runs. A value type.
struct LogSettings {
  bool info = true;
  bool warning = true;
  bool error = true;
  uint32_t verbose_level = 0;   // from 1 on what debugging needs is written as well
  std::string format = "text";  // or "json": an object with time, level and message
};

LogSettings GetLogSettings();
// INVALID_ARGUMENT for a format that there is not; nothing changes then.
absl::Status SetLogSettings(const LogSettings& settings);

// Sets the least level that is written: "debug", "info", "warning" or "error".
absl::Status SetLogLevel(absl::string_view level);

void LogDebug(absl::string_view message);
void LogInfo(absl::string_view message);
void LogWarning(absl::string_view message);
void LogError(absl::string_view message);

}  // namespace inferd
