#include "server/security/certificate_watcher.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "server/metrics/log.h"

namespace inferd {
namespace {

bool Same(const TlsMaterial& a, const TlsMaterial& b) {
  return a.certificates == b.certificates && a.key == b.key &&
         a.client_authorities == b.client_authorities;
}

std::string Description(const TlsMaterial& material) {
  return absl::StrCat("certificate ", material.subject, ", valid until ",
                      absl::FormatTime(material.expires, absl::UTCTimeZone()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<CertificateWatcher>> CertificateWatcher::Start(
    const TlsOptions& options) {
  ASSIGN_OR_RETURN(TlsMaterial material, ReadTlsMaterial(options));
  RETURN_IF_ERROR(CheckTlsMaterial(options, absl::Now(), &material));
  LogInfo(absl::StrCat("TLS: ", Description(material)));
  std::unique_ptr<CertificateWatcher> watcher(new CertificateWatcher(options, std::move(material)));
  watcher->look_.emplace(options.reload_interval,
                         [watcher = watcher.get()] { watcher->Look(absl::Now()); });
  return watcher;
}

CertificateWatcher::CertificateWatcher(const TlsOptions& options, TlsMaterial material)
    : options_(options), current_(std::make_shared<TlsMaterial>(std::move(material))) {}

std::shared_ptr<const TlsMaterial> CertificateWatcher::current() const {
  MutexLock lock(&mutex_);
  return current_;
}

bool CertificateWatcher::failing() const {
  MutexLock lock(&mutex_);
  return !error_.empty();
}

void CertificateWatcher::Look(absl::Time now) {
  absl::StatusOr<TlsMaterial> read = ReadTlsMaterial(options_);
  absl::Status status = read.status();
  const bool same = read.ok() && Same(*read, *current());
  if (status.ok() && !same) status = CheckTlsMaterial(options_, now, &*read);
  MutexLock lock(&mutex_);
  if (!status.ok()) {
    if (error_ != status.message()) {
      LogError(absl::StrCat("TLS: the certificate stays as it is, valid until ",
                            absl::FormatTime(current_->expires, absl::UTCTimeZone()), ": ",
                            status.message()));
    }
    error_ = std::string(status.message());
    return;
  }
  error_.clear();
  if (same) return;
  LogInfo(absl::StrCat("TLS: taken over: ", Description(*read)));
  current_ = std::make_shared<TlsMaterial>(*std::move(read));
}

}  // namespace inferd
