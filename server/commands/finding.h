#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace inferd {

// What one look at the machine or the configuration showed. A value type.
struct Finding {
  enum class Level { kOk, kWarn, kFail };

  std::string check;  // what was looked at: "cpu quota", "grpc port"
  Level level = Level::kOk;
  std::string found;
  std::string advice;  // what to do; empty where nothing needs doing
};

using Findings = std::vector<Finding>;

inline absl::string_view LevelName(Finding::Level level) {
  switch (level) {
    case Finding::Level::kOk:
      return "ok";
    case Finding::Level::kWarn:
      return "warn";
    default:
      return "fail";
  }
}

}  // namespace inferd
