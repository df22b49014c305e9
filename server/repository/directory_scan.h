#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace inferd {

// The files of one version folder, as far as they tell whether it changed.
struct VersionFiles {
  std::string fingerprint;  // of names, sizes, inodes and times; equal while nothing changed
  absl::Time newest_change = absl::InfinitePast();
};

// One model's folder as it is on disk.
struct ModelFolder {
  std::string name;
  std::string path;
  std::string config_text;        // of config.pbtxt; empty when there is none
  absl::Status config_status;     // why the folder or its config.pbtxt could not be read
  std::vector<int64_t> versions;  // ascending
  std::map<int64_t, VersionFiles> files;
};

struct RepositoryScan {
  std::vector<ModelFolder> models;    // by name
  std::vector<std::string> warnings;  // what was passed over and why, one sentence each
};

// The version that a folder name stands for: a positive decimal number without leading zeros, at
// most 18 digits; 0 for any other name.
int64_t ParseVersion(absl::string_view name);

// Links in a repository are followed as far as they stay within it.

// Reads the layout <root>/<model>/<version>/ and the texts of <root>/<model>/config.pbtxt.
// NOT_FOUND when `root` is no folder.
absl::StatusOr<RepositoryScan> ScanRepository(const std::string& root);

// One model's folder, such as <root>/<model>; NOT_FOUND when there is none.
absl::StatusOr<ModelFolder> ScanModelFolder(const std::string& path,
                                            std::vector<std::string>* warnings);

}  // namespace inferd
