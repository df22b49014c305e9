#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "onnx/onnx_pb.h"

namespace inferd {

inline constexpr int64_t kOldestIrVersion = 3;
inline constexpr int64_t kNewestIrVersion = 14;
inline constexpr int64_t kOldestOpset = 1;
inline constexpr int64_t kNewestOpset = 28;

// The operator set versions that a model or a function imports, by domain; "ai.onnx" is "".
// A value type.
class OpsetVersions {
 public:
  using Imports = google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto>;

  // INVALID_ARGUMENT for a version outside of what is supported, or a domain imported twice.
  static absl::StatusOr<OpsetVersions> Read(const Imports& imports);

  // The imported version. Domains other than "" that the engine knows count as imported at their
  // newest version when the model forgot to.
  std::optional<int64_t> Version(absl::string_view domain) const;
  std::vector<std::pair<std::string, int64_t>> List() const;

 private:
  std::map<std::string, int64_t, std::less<>> versions_;
};

// "" for "ai.onnx", else the domain itself.
absl::string_view CanonicalDomain(absl::string_view domain);
// "ai.onnx" for "", for messages.
absl::string_view DomainText(absl::string_view domain);

// INVALID_ARGUMENT unless the version is supported.
absl::Status CheckIrVersion(int64_t version);

}  // namespace inferd
