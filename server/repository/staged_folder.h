#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace inferd {

// What a load request brings instead of what is on disk.
struct ModelOverrides {
  std::optional<std::string> config_json;    // a ModelConfig as JSON
  std::map<std::string, std::string> files;  // bytes by "VERSION/FILE"; needs config_json
};

// The text form of a ModelConfig given as JSON. INVALID_ARGUMENT saying what does not parse.
absl::StatusOr<std::string> ConfigTextFromJson(const std::string& json);

// A model folder made of the files of a load request, where only this user may read: removed with
// this object. Used by one thread at a time.
class StagedFolder {
 public:
  // INVALID_ARGUMENT for a path that is not VERSION/FILE of plain names; UNAVAILABLE where the
  // files cannot be written.
  static absl::StatusOr<std::unique_ptr<StagedFolder>> Make(
      const std::string& model_name, const std::map<std::string, std::string>& files);
  ~StagedFolder();
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  // The model's folder.
  const std::string& path() const { return path_; }

 private:
  StagedFolder(std::string root, std::string path)
      : root_(std::move(root)), path_(std::move(path)) {}

  const std::string root_;
  const std::string path_;
};

}  // namespace inferd
