#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace inferd {

// The text of a file of certificates or rules, of at most 1 MiB. INVALID_ARGUMENT naming the file.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

}  // namespace inferd
