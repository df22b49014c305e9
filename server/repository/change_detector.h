#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/repository/directory_scan.h"

namespace inferd {

// Tells from one look at a repository to the next which models changed. A version counts once it is
// whole: when two looks found the same, or when it appeared with files that are all older than the
// look before, as by a rename. Until then what was there before stands. Used by one thread at a
// time.
class ChangeDetector {
 public:
  struct Changes {
    // With the versions that are whole.
    std::vector<ModelFolder> changed;
    std::vector<std::string> gone;
  };

  // `models` is what the look that began at `began` found. The first one counts as whole.
  Changes Update(std::vector<ModelFolder> models, absl::Time began);

 private:
  struct Seen {
    std::string config_text;
    std::map<int64_t, std::string> fingerprints;
    // What was told of last: of whole versions.
    bool told = false;
    std::string told_config;
    std::map<int64_t, std::string> told_fingerprints;
  };

  // The versions of `folder` that are whole, with what they hold.
  std::map<int64_t, std::string> WholeVersions(const ModelFolder& folder, const Seen* before) const;

  bool first_ = true;
  absl::Time last_began_ = absl::InfinitePast();
  std::map<std::string, Seen> seen_;
};

}  // namespace inferd
