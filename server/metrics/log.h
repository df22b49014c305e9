#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

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

// One of the named values of a line: text or a number. Borrows its texts.
struct LogField {
  LogField(absl::string_view name, absl::string_view text) : name(name), text(text) {}
  LogField(absl::string_view name, int64_t number) : name(name), number(number), is_number(true) {}

  absl::string_view name;
  absl::string_view text;
  int64_t number = 0;
  bool is_number = false;
};

// Whether LogDebug writes: worth asking where the message takes work. A load, without a lock.
bool DebugIsLogged();

void LogDebug(absl::string_view message);
void LogInfo(absl::string_view message);
// With fields after the message: key=value, or members of the JSON object.
void LogInfo(absl::string_view message, absl::Span<const LogField> fields);
void LogWarning(absl::string_view message);
void LogError(absl::string_view message);

}  // namespace inferd
