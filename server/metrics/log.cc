#include "server/metrics/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/mutex.h"

namespace inferd {
namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%e %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";

// The logger and what it was told. A line that is not wanted costs one load. Thread-safe.
class Log {
 public:
  Log() : logger_("inferd", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(spdlog::level::debug);
    logger_.set_pattern(kTextPattern);
    Publish(LogSettings());
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
    Publish(settings);
  }
  bool IsWanted(spdlog::level::level_enum level) const {
    return (wanted_.load(std::memory_order_relaxed) & Bit(level)) != 0;
  }
  void Write(spdlog::level::level_enum level, absl::string_view message,
             absl::Span<const LogField> fields = {}) {
    const uint32_t wanted = wanted_.load(std::memory_order_relaxed);
    if ((wanted & Bit(level)) == 0) return;
    logger_.log(level, "{}",
                (wanted & kJson) != 0 ? JsonMembers(message, fields) : TextLine(message, fields));
  }

 private:
  static constexpr uint32_t kJson = 1u << 31;

  static uint32_t Bit(spdlog::level::level_enum level) { return 1u << static_cast<int>(level); }
  void Publish(const LogSettings& settings) {
    uint32_t wanted = settings.format == "json" ? kJson : 0;
    if (settings.verbose_level > 0) wanted |= Bit(spdlog::level::debug);
    if (settings.info) wanted |= Bit(spdlog::level::info);
    if (settings.warning) wanted |= Bit(spdlog::level::warn);
    if (settings.error) wanted |= Bit(spdlog::level::err);
    wanted_.store(wanted, std::memory_order_relaxed);
  }

  static std::string TextLine(absl::string_view message, absl::Span<const LogField> fields) {
    std::string line = OneLine(message);
    for (const LogField& field : fields) {
      absl::StrAppend(&line, " ", field.name, "=");
      if (field.is_number) {
        absl::StrAppend(&line, field.number);
      } else if (field.text.find_first_of(" \"\\=") != absl::string_view::npos) {
        absl::StrAppend(&line, "\"", absl::Utf8SafeCEscape(field.text), "\"");
      } else {
        absl::StrAppend(&line, OneLine(field.text));
      }
    }
    return line;
  }

  static std::string JsonMembers(absl::string_view message, absl::Span<const LogField> fields) {
    std::string members = absl::StrCat("\"message\":\"", JsonText(message), "\"");
    for (const LogField& field : fields) {
      absl::StrAppend(&members, ",\"", field.name, "\":");
      if (field.is_number) {
        absl::StrAppend(&members, field.number);
      } else {
        absl::StrAppend(&members, "\"", JsonText(field.text), "\"");
      }
    }
    return members;
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
  std::atomic<uint32_t> wanted_{0};  // a bit a level, and kJson
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

bool DebugIsLogged() { return TheLog().IsWanted(spdlog::level::debug); }
void LogDebug(absl::string_view message) { TheLog().Write(spdlog::level::debug, message); }
void LogInfo(absl::string_view message) { TheLog().Write(spdlog::level::info, message); }
void LogInfo(absl::string_view message, absl::Span<const LogField> fields) {
  TheLog().Write(spdlog::level::info, message, fields);
}
void LogWarning(absl::string_view message) { TheLog().Write(spdlog::level::warn, message); }
void LogError(absl::string_view message) { TheLog().Write(spdlog::level::err, message); }

}  // namespace inferd
