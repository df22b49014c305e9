#include "server/rpc/repository_calls.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

using Parameter = inference::ModelRepositoryParameter;

constexpr char kConfig[] = "config";
constexpr char kFilePrefix[] = "file:";
constexpr char kDependents[] = "unload_dependents";

absl::Status CheckRepositoryName(const std::string& name) {
  if (name.empty()) return absl::OkStatus();
  return absl::UnimplementedError("repository_name is not supported: leave it empty");
}

absl::Status WrongType(const std::string& key, const char* expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", key.substr(0, 300), "': expected a ", expected, " value"));
}

absl::Status Unknown(const std::string& key, const char* known) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter '", key.substr(0, 300), "' is not known; known: ", known));
}

}  // namespace

absl::StatusOr<ModelOverrides> ReadOverrides(const inference::RepositoryModelLoadRequest& request) {
  RETURN_IF_ERROR(CheckRepositoryName(request.repository_name()));
  ModelOverrides overrides;
  for (const auto& [key, value] : request.parameters()) {
    absl::string_view path = key;
    if (key == kConfig) {
      if (value.parameter_choice_case() != Parameter::kStringParam) return WrongType(key, "string");
      overrides.config_json = value.string_param();
    } else if (absl::ConsumePrefix(&path, kFilePrefix)) {
      if (value.parameter_choice_case() != Parameter::kBytesParam) return WrongType(key, "bytes");
      overrides.files.emplace(std::string(path.data(), path.size()), value.bytes_param());
    } else {
      return Unknown(key, "config, file:VERSION/NAME");
    }
  }
  return overrides;
}

absl::Status CheckUnload(const inference::RepositoryModelUnloadRequest& request) {
  RETURN_IF_ERROR(CheckRepositoryName(request.repository_name()));
  for (const auto& [key, value] : request.parameters()) {
    if (key != kDependents) return Unknown(key, kDependents);
    // No model here depends on another.
    if (value.parameter_choice_case() != Parameter::kBoolParam) return WrongType(key, "bool");
  }
  return absl::OkStatus();
}

}  // namespace inferd
