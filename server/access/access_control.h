#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "config/server_options.h"
#include "engine/core/mutex.h"
#include "server/access/access_rules.h"
#include "server/security/periodic_look.h"

namespace inferd {

// The access rules of all ports, kept up to date with their files. A bad file changes nothing, is
// logged once and shows in failing() until it is good again. Thread-safe.
class AccessControl {
 public:
  // INVALID_ARGUMENT when the files are bad now.
  static absl::StatusOr<std::unique_ptr<AccessControl>> Start(const AccessOptions& options);

  // Whether a caller may make calls of a category; codes as of AccessRules::Check.
  absl::Status Check(ApiCategory category, const CallerCredentials& caller) const;

  // Whether the files are not what counts, since they are bad.
  bool failing() const;
  // Looks at the files now.
  void Look();

 private:
  AccessControl(const AccessOptions& options, std::string source, AccessRules rules);

  const AccessOptions options_;
  mutable Mutex mutex_;
  std::string source_ ABSL_GUARDED_BY(mutex_);  // the text that rules_ came from
  std::shared_ptr<const AccessRules> rules_ ABSL_GUARDED_BY(mutex_);
  std::string error_ ABSL_GUARDED_BY(mutex_);
  std::optional<PeriodicLook> look_;
};

}  // namespace inferd
