#include "server/repository/version_policy.h"

#include <algorithm>

namespace inferd {

VersionChoice ChooseVersions(const VersionPolicy& policy, absl::Span<const int64_t> on_disk) {
  VersionChoice choice;
  switch (policy.kind) {
    case VersionPolicy::Kind::kAll:
      choice.serve.assign(on_disk.begin(), on_disk.end());
      break;
    case VersionPolicy::Kind::kLatest: {
      const auto count = std::min<int64_t>(policy.count, static_cast<int64_t>(on_disk.size()));
      choice.serve.assign(on_disk.end() - count, on_disk.end());
      break;
    }
    case VersionPolicy::Kind::kSpecific:
      for (const int64_t version : policy.versions) {
        const bool found = std::binary_search(on_disk.begin(), on_disk.end(), version);
        (found ? choice.serve : choice.missing).push_back(version);
      }
      break;
  }
  return choice;
}

}  // namespace inferd
