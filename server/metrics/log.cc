#include "server/metrics/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/mutex.h"

namespace inferd {
namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%e %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":"%v"})";

// The logger and what it was told. Thread-safe.
class Log {
 public:
  Log() : logger_("inferd", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(spdlog::level::debug);
    logger_.set_pattern(kTextPattern);
  }

  LogSettings settings() const {
    MutexLock lock(&mutex_);
    return settings_;
  }
  void Set(const LogSettings& settings) {
    MutexLock lock(&mutex_);
    if (settings.format != settings_.format) {
      logger_.set_pattern(settings.format == "json" ? kJsonPattern : kTextPattern);
    }
    settings_ = settings;
  }
  void Write(spdlog::level::level_enum level, absl::string_view message) {
    bool json;
    {
      MutexLock lock(&mutex_);
      if (!IsWanted(level)) return;
      json = settings_.format == "json";
    }
    logger_.log(level, "{}", json ? JsonText(message) : OneLine(message));
  }

 private:
  bool IsWanted(spdlog::level::level_enum level) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    switch (level) {
      case spdlog::level::info:
        return settings_.info;
      case spdlog::level::warn:
        return settings_.warning;
      case spdlog::level::err:
        return settings_.error;
      default:
        return settings_.verbose_level > 0;
    }
  }

  // Text from clients and files must not start a new line of the log.
  static std::string OneLine(absl::string_view message) {
    std::string line(message.data(), message.size());
    for (char& c : line) {
      if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    }
    return line;
  }

  static std::string JsonText(absl::string_view message) {
    std::string text;
    for (const char c : message) {
      if (c == '"' || c == '\\') text.push_back('\\');
      if (static_cast<unsigned char>(c) < 0x20) {
        absl::StrAppendFormat(&text, "\\u%04x", static_cast<int>(c));
      } else {
        text.push_back(c);
      }
    }
    return text;
  }

  spdlog::logger logger_;
  mutable Mutex mutex_;
  LogSettings settings_ ABSL_GUARDED_BY(mutex_);
};

Log& TheLog() {
  // Never destroyed: threads may write to the end.
  static Log* log = new Log();
  return *log;
}

}  // namespace

LogSettings GetLogSettings() { return TheLog().settings(); }

absl::Status SetLogSettings(const LogSettings& settings) {
  if (settings.format != "text" && settings.format != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("log format: expected text or json, got '", settings.format, "'"));
  }
  TheLog().Set(settings);
  return absl::OkStatus();
}

absl::Status SetLogLevel(absl::string_view level) {
  LogSettings settings = GetLogSettings();
  if (level != "debug" && level != "info" && level != "warning" && level != "error") {
    return absl::InvalidArgumentError(
        absl::StrCat("log level: expected debug, info, warning or error, got '", level, "'"));
  }
  settings.verbose_level = level == "debug" ? 1 : 0;
  settings.info = level == "debug" || level == "info";
  settings.warning = level != "error";
  return SetLogSettings(settings);
}

void LogDebug(absl::string_view message) { TheLog().Write(spdlog::level::debug, message); }
void LogInfo(absl::string_view message) { TheLog().Write(spdlog::level::info, message); }
void LogWarning(absl::string_view message) { TheLog().Write(spdlog::level::warn, message); }
void LogError(absl::string_view message) { TheLog().Write(spdlog::level::err, message); }

}  // namespace inferd
