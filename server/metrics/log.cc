#include "server/metrics/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

spdlog::logger& Logger() {
  // spdlog::drop_all, called at exit by nobody, leaves this one alive to the end.
  static spdlog::logger* logger = [] {
    auto* made = new spdlog::logger("inferd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

// Text from clients and files must not start a new line of the log.
std::string OneLine(absl::string_view message) {
  std::string line(message.data(), message.size());
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return line;
}

void Write(spdlog::level::level_enum level, absl::string_view message) {
  if (Logger().should_log(level)) Logger().log(level, "{}", OneLine(message));
}

}  // namespace

absl::Status SetLogLevel(absl::string_view level) {
  if (level == "debug") {
    Logger().set_level(spdlog::level::debug);
  } else if (level == "info") {
    Logger().set_level(spdlog::level::info);
  } else if (level == "warning") {
    Logger().set_level(spdlog::level::warn);
  } else if (level == "error") {
    Logger().set_level(spdlog::level::err);
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("log level: expected debug, info, warning or error, got '", level, "'"));
  }
  return absl::OkStatus();
}

void LogDebug(absl::string_view message) { Write(spdlog::level::debug, message); }
void LogInfo(absl::string_view message) { Write(spdlog::level::info, message); }
void LogWarning(absl::string_view message) { Write(spdlog::level::warn, message); }
void LogError(absl::string_view message) { Write(spdlog::level::err, message); }

}  // namespace inferd
