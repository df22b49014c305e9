#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inferd {

// The server's log: one line of text on stderr an event, with time and level. Thread-safe.

// Sets the least level that is written: "debug", "info", "warning" or "error".
absl::Status SetLogLevel(absl::string_view level);

void LogDebug(absl::string_view message);
void LogInfo(absl::string_view message);
void LogWarning(absl::string_view message);
void LogError(absl::string_view message);

}  // namespace inferd
