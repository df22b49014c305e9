#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace inferd::cuda {

// Machine code of one kernel in the cache folder, in a file of its own whose name comes from `key`:
// all that the code depends on. The file is one of those that the folder's limit counts.

// Nullopt where there is none that is whole.
std::optional<std::string> ReadKernelFile(const std::string& folder, absl::string_view key);
// Written aside and renamed, so that readers find all of it or nothing; the folder is made if need
// be. RESOURCE_EXHAUSTED for code of more than 4 MiB.
absl::Status WriteKernelFile(const std::string& folder, absl::string_view key,
                             absl::string_view code);

}  // namespace inferd::cuda
