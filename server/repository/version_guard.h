#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace inferd {

// Holds a version's files to what may be loaded: the model file lies beneath the repository, and
// with a list of digests every file of the version is listed with its own. What was admitted must
// still be there once it is loaded. Used by one thread at a time.
class VersionGuard {
 public:
  // `model_folder` is <repository>/<model>. `digests_path` is a file as sha256sum prints it, of
  // paths relative to the repository; empty: no list. NOT_FOUND without a model file,
  // INVALID_ARGUMENT for a link out of the repository, PERMISSION_DENIED for a file that is not
  // listed or differs from its digest.
  static absl::StatusOr<VersionGuard> Admit(const std::string& model_folder, int64_t version,
                                            const std::string& model_filename,
                                            const std::string& digests_path);

  // UNAVAILABLE when the files are others than those that were admitted.
  absl::Status CheckUnchanged() const;

  // Bytes of the version's files, as far as the model may need them.
  int64_t file_bytes() const { return file_bytes_; }

 private:
  VersionGuard() = default;

  std::string model_folder_;
  int64_t version_ = 0;
  std::string model_file_;  // relative to the repository
  std::string fingerprint_;
  int64_t file_bytes_ = 0;
};

// INVALID_ARGUMENT when the list of digests cannot be read.
absl::Status CheckDigestList(const std::string& digests_path);

}  // namespace inferd
