#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/repository/model_repository.h"

// What requests ask a ModelRepository.
namespace inferd {
namespace {

absl::StatusOr<int64_t> ParseRequestedVersion(const ModelEntry& entry, absl::string_view text) {
  int64_t version = 0;
  const bool is_digits = std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
  if (is_digits && absl::SimpleAtoi(text, &version)) return version;
  if (const int64_t aliased = entry.FindAlias(text); aliased > 0) return aliased;
  return absl::InvalidArgumentError(
      absl::StrCat("model version: expected a non-negative integer, an alias of model '",
                   entry.name(), "' or none, got '", text.substr(0, 100), "'"));
}

absl::Status NotReady(absl::string_view name, int64_t number, const ModelEntry::Version& version) {
  const std::string label = VersionLabel(name, number);
  switch (version.state) {
    case ModelState::kUnknown:
    case ModelState::kLoading:
      return absl::UnavailableError(absl::StrCat(label, " is loading"));
    case ModelState::kUnloading:
      return absl::UnavailableError(absl::StrCat(label, " is being unloaded"));
    default:
      return absl::NotFoundError(absl::StrCat(label, " is not available: ", version.reason));
  }
}

// Why no version is READY: the newest one's reason, unless another is still loading.
absl::Status NoneReady(const ModelEntry& entry) {
  absl::Status status = absl::NotFoundError(
      absl::StrCat(VersionLabel(entry.name(), kNoVersion), " has no version that could be loaded"));
  for (const auto& [number, version] : entry.Versions()) {
    const absl::Status one = NotReady(entry.name(), number, version);
    if (absl::IsUnavailable(one)) return one;
    status = one;
  }
  return status;
}

}  // namespace

std::string VersionLabel(absl::string_view name, int64_t version) {
  return version == kNoVersion ? absl::StrCat("model '", name, "'")
                               : absl::StrCat("model '", name, "' version ", version);
}

absl::StatusOr<ModelHandle> ModelRepository::Get(absl::string_view name,
                                                 absl::string_view version) const {
  if (draining_) return absl::UnavailableError("the server is draining and takes no new requests");
  const ModelEntry* entry = table_->Find(name);
  if (entry == nullptr) {
    return absl::NotFoundError(absl::StrCat("model '", name.substr(0, 300), "' is not known"));
  }
  if (version.empty()) {
    ModelHandle newest = entry->Newest();
    if (newest == nullptr) return NoneReady(*entry);
    return newest;
  }
  ASSIGN_OR_RETURN(const int64_t number, ParseRequestedVersion(*entry, version));
  ModelEntry::Version found;
  if (number == kNoVersion || !entry->Find(number, &found)) {
    return absl::NotFoundError(absl::StrCat("model '", name, "' has no version ", number));
  }
  if (found.model == nullptr) return NotReady(name, number, found);
  return std::move(found.model);
}

std::vector<int64_t> ModelRepository::ReadyVersions(absl::string_view name) const {
  std::vector<int64_t> ready;
  const ModelEntry* entry = table_->Find(name);
  if (entry == nullptr) return ready;
  for (const auto& [number, version] : entry->Versions()) {
    if (version.state == ModelState::kReady) ready.push_back(number);
  }
  return ready;
}

std::vector<ModelHandle> ModelRepository::ReadyModels() const {
  std::vector<ModelHandle> models;
  table_->ForEach([&](const ModelEntry& entry) {
    for (auto& [number, version] : entry.Versions()) {
      if (version.model) models.push_back(version.model);
    }
  });
  std::sort(models.begin(), models.end(), [](const ModelHandle& a, const ModelHandle& b) {
    return std::make_pair(absl::string_view(a->name()), a->version()) <
           std::make_pair(absl::string_view(b->name()), b->version());
  });
  return models;
}

std::vector<ModelIndexRow> ModelRepository::Index() const {
  std::map<std::string, std::vector<ModelIndexRow>> rows_by_name;
  table_->ForEach([&](const ModelEntry& entry) {
    std::vector<ModelIndexRow>& rows = rows_by_name[entry.name()];
    for (const auto& [number, version] : entry.Versions()) {
      rows.push_back({entry.name(), number == kNoVersion ? "" : absl::StrCat(number), version.state,
                      version.reason});
    }
  });
  std::vector<ModelIndexRow> index;
  for (auto& [name, rows] : rows_by_name) {
    index.insert(index.end(), rows.begin(), rows.end());
  }
  return index;
}

bool ModelRepository::Knows(absl::string_view name) const {
  const ModelEntry* entry = table_->Find(name);
  if (entry == nullptr) return false;
  const auto versions = entry->Versions();
  return std::any_of(versions.begin(), versions.end(),
                     [](const auto& version) { return version.second.wanted; });
}

bool ModelRepository::AnyReady() const {
  bool any_known = false;
  bool any_ready = false;
  table_->ForEach([&](const ModelEntry& entry) {
    for (const auto& [number, version] : entry.Versions()) any_known |= version.wanted;
    any_ready = any_ready || entry.Newest() != nullptr;
  });
  return any_ready || !any_known;
}

bool ModelRepository::AllReady() const {
  bool all_ready = true;
  table_->ForEach([&](const ModelEntry& entry) {
    for (const auto& [number, version] : entry.Versions()) {
      all_ready = all_ready && (!version.wanted || version.state == ModelState::kReady);
    }
  });
  return all_ready;
}

void ModelRepository::RefreshMetrics() const {
  for (const ModelHandle& model : ReadyModels()) model->RefreshMetrics();
}

}  // namespace inferd
