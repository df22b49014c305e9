#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace inferd {

// One model's folder as it is on disk.
struct ModelFolder {
  std::string name;
  std::string path;
  std::string config_text;        // of config.pbtxt; empty when there is none
  absl::Status config_status;     // why config.pbtxt could not be read
  std::vector<int64_t> versions;  // ascending
};

struct RepositoryScan {
  std::vector<ModelFolder> models;    // by name
  std::vector<std::string> warnings;  // what was passed over and why, one sentence each
};

// The version that a folder name stands for: a positive decimal number without leading zeros, at
// most 18 digits; 0 for any other name.
int64_t ParseVersion(absl::string_view name);

// Reads the layout <root>/<model>/<version>/ and the texts of <root>/<model>/config.pbtxt.
// NOT_FOUND when `root` is no folder.
absl::StatusOr<RepositoryScan> ScanRepository(const std::string& root);

}  // namespace inferd
