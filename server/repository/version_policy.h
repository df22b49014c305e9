#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "config/model_options.h"

namespace inferd {

// Which versions to serve, and which the policy names in vain.
struct VersionChoice {
  std::vector<int64_t> serve;    // ascending
  std::vector<int64_t> missing;  // named by the policy, not on disk; ascending
};

// Applies `policy` to the versions on disk, which are ascending.
VersionChoice ChooseVersions(const VersionPolicy& policy, absl::Span<const int64_t> on_disk);

}  // namespace inferd
