#include "server/repository/change_detector.h"

#include <utility>

namespace inferd {
namespace {

// File systems' clocks are coarse, and a server's may differ a little.
constexpr absl::Duration kClockSlack = absl::Seconds(1);

std::map<int64_t, std::string> FingerprintsOf(const ModelFolder& folder) {
  std::map<int64_t, std::string> fingerprints;
  for (const auto& [version, files] : folder.files) fingerprints[version] = files.fingerprint;
  return fingerprints;
}

// `folder` with these versions only.
ModelFolder Restricted(ModelFolder folder, const std::map<int64_t, std::string>& versions) {
  folder.versions.clear();
  for (const auto& [version, fingerprint] : versions) {
    folder.versions.push_back(version);
    folder.files[version].fingerprint = fingerprint;
  }
  return folder;
}

}  // namespace

std::map<int64_t, std::string> ChangeDetector::WholeVersions(const ModelFolder& folder,
                                                             const Seen* before) const {
  std::map<int64_t, std::string> whole;
  for (const auto& [version, files] : folder.files) {
    const std::string* earlier = nullptr;
    if (before != nullptr) {
      const auto it = before->fingerprints.find(version);
      if (it != before->fingerprints.end()) earlier = &it->second;
    }
    const bool unchanged = earlier != nullptr && *earlier == files.fingerprint;
    const bool renamed = earlier == nullptr && files.newest_change < last_began_ - kClockSlack;
    if (first_ || unchanged || renamed) {
      whole[version] = files.fingerprint;
    } else if (before != nullptr && before->told_fingerprints.count(version) > 0) {
      whole[version] = before->told_fingerprints.at(version);
    }
  }
  return whole;
}

ChangeDetector::Changes ChangeDetector::Update(std::vector<ModelFolder> models, absl::Time began) {
  Changes changes;
  std::map<std::string, Seen> seen;
  for (ModelFolder& folder : models) {
    const auto it = seen_.find(folder.name);
    const Seen* before = it == seen_.end() ? nullptr : &it->second;
    Seen now = before == nullptr ? Seen() : *before;
    const bool config_is_whole = before == nullptr || before->config_text == folder.config_text;
    std::map<int64_t, std::string> whole = WholeVersions(folder, before);
    now.config_text = folder.config_text;
    now.fingerprints = FingerprintsOf(folder);
    const std::string name = folder.name;
    const bool differs =
        !now.told || now.told_config != folder.config_text || now.told_fingerprints != whole;
    // A folder that is just being filled is no model yet.
    const bool is_something = now.told || first_ || !whole.empty();
    if (config_is_whole && differs && is_something) {
      now.told = true;
      now.told_config = folder.config_text;
      now.told_fingerprints = whole;
      changes.changed.push_back(Restricted(std::move(folder), whole));
    }
    seen.emplace(name, std::move(now));
  }
  for (const auto& [name, before] : seen_) {
    if (before.told && seen.count(name) == 0) changes.gone.push_back(name);
  }
  seen_ = std::move(seen);
  first_ = false;
  last_began_ = began;
  return changes;
}

}  // namespace inferd
