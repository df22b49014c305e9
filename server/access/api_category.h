#pragma once

#include <cstdint>

#include "absl/strings/string_view.h"

namespace inferd {

// Groups of calls that a role may be allowed or not; AccessConfig::Category in
// proto/access_config.proto lists what is in each.
enum class ApiCategory : uint8_t {
  kHealth = 1,
  kMetadata,
  kInference,
  kModelRepository,
  kSharedMemory,
  kStatistics,
  kTrace,
  kLogging,
};

// "model-repository" and so on, for messages.
absl::string_view CategoryName(ApiCategory category);

}  // namespace inferd
