#include "engine/onnx/opset_versions.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"

namespace inferd {
namespace {

struct SupportedRange {
  absl::string_view domain;
  int64_t oldest;
  int64_t newest;
};

constexpr SupportedRange kSupported[] = {
    {"", kOldestOpset, kNewestOpset},
    {"ai.onnx.ml", 1, 5},
    {"ai.onnx.preview", 1, 1},
    {"com.microsoft", 1, 1},
};

const SupportedRange* FindRange(absl::string_view domain) {
  for (const SupportedRange& range : kSupported) {
    if (range.domain == domain) return &range;
  }
  return nullptr;
}

}  // namespace

absl::string_view CanonicalDomain(absl::string_view domain) {
  return domain == "ai.onnx" ? absl::string_view() : domain;
}

absl::string_view DomainText(absl::string_view domain) {
  return domain.empty() ? absl::string_view("ai.onnx") : domain;
}

absl::Status CheckIrVersion(int64_t version) {
  if (version >= kOldestIrVersion && version <= kNewestIrVersion) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("ir_version ", version, " is too ", version < kOldestIrVersion ? "old" : "new",
                   "; supported are ", kOldestIrVersion, " to ", kNewestIrVersion));
}

absl::StatusOr<OpsetVersions> OpsetVersions::Read(const Imports& imports) {
  OpsetVersions result;
  for (const auto& import : imports) {
    const absl::string_view domain = CanonicalDomain(import.domain());
    const int64_t version = import.version();
    const SupportedRange* range = FindRange(domain);
    if (range != nullptr && (version < range->oldest || version > range->newest)) {
      return absl::InvalidArgumentError(
          absl::StrCat("opset ", version, " of domain ", DomainText(domain), " is too ",
                       version < range->oldest ? "old" : "new", "; supported are ", range->oldest,
                       " to ", range->newest,
                       version < range->oldest ? " (convert the model with onnx's"
                                                 " version_converter)"
                                               : ""));
    }
    // Exporters repeat themselves; only a contradiction is wrong.
    const auto [entry, is_new] = result.versions_.emplace(std::string(domain), version);
    if (!is_new && entry->second != version) {
      return absl::InvalidArgumentError(absl::StrCat("domain ", NameText(DomainText(domain)),
                                                     " is imported as opset ", entry->second,
                                                     " and as opset ", version));
    }
  }
  return result;
}

std::optional<int64_t> OpsetVersions::Version(absl::string_view domain) const {
  const auto it = versions_.find(CanonicalDomain(domain));
  if (it != versions_.end()) return it->second;
  const SupportedRange* range = domain.empty() ? nullptr : FindRange(domain);
  return range == nullptr ? std::nullopt : std::optional<int64_t>(range->newest);
}

std::vector<std::pair<std::string, int64_t>> OpsetVersions::List() const {
  return {versions_.begin(), versions_.end()};
}

}  // namespace inferd
