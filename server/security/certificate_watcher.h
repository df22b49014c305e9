#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/server_options.h"
#include "engine/core/mutex.h"
#include "server/security/periodic_look.h"
#include "server/security/tls_material.h"

namespace inferd {

// The TLS material of the ports, kept up to date with its files: looked at every
// TlsOptions::reload_interval, checked, and only then taken over. A bad pair changes nothing, is
// logged once and shows in failing() until the files are good again. Thread-safe.
class CertificateWatcher {
 public:
  // INVALID_ARGUMENT when the files are bad now.
  static absl::StatusOr<std::unique_ptr<CertificateWatcher>> Start(const TlsOptions& options);

  const TlsOptions& options() const { return options_; }
  // What ports present now; another object after each change.
  std::shared_ptr<const TlsMaterial> current() const;
  // Whether the files are not what current() holds, since they are bad.
  bool failing() const;
  // Looks at the files now, as of `now`.
  void Look(absl::Time now);

 private:
  CertificateWatcher(const TlsOptions& options, TlsMaterial material);

  const TlsOptions options_;
  mutable Mutex mutex_;
  std::shared_ptr<const TlsMaterial> current_ ABSL_GUARDED_BY(mutex_);
  // Why the files were bad at the last look; empty when they were good.
  std::string error_ ABSL_GUARDED_BY(mutex_);
  std::optional<PeriodicLook> look_;
};

}  // namespace inferd
