#include "server/access/api_category.h"

namespace inferd {

absl::string_view CategoryName(ApiCategory category) {
  switch (category) {
    case ApiCategory::kHealth:
      return "health";
    case ApiCategory::kMetadata:
      return "metadata";
    case ApiCategory::kInference:
      return "inference";
    case ApiCategory::kModelRepository:
      return "model-repository";
    case ApiCategory::kSharedMemory:
      return "shared-memory";
    case ApiCategory::kStatistics:
      return "statistics";
    case ApiCategory::kTrace:
      return "trace";
    case ApiCategory::kLogging:
      return "logging";
  }
  return "unknown";
}

}  // namespace inferd
