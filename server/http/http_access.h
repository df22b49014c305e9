#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>

#include "engine/core/mutex.h"
#include "server/access/access_control.h"
#include "server/http/http_routes.h"
#include "server/security/certificate_watcher.h"
#include "server/security/peer_names.h"

namespace inferd {

// The TLS context that new connections of a port use: made anew when the certificates change.
// Thread-safe.
class HttpTlsContext {
 public:
  // Null: without TLS. Outlives it.
  explicit HttpTlsContext(const CertificateWatcher* certificates) : certificates_(certificates) {}

  // Null without TLS.
  std::shared_ptr<SSL_CTX> Current();

 private:
  const CertificateWatcher* const certificates_;
  Mutex mutex_;
  std::shared_ptr<const TlsMaterial> material_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SSL_CTX> context_ ABSL_GUARDED_BY(mutex_);
};

// 401 or 403 for a request whose sender may not make calls of that category; nothing where
// `control` is null. `peer` are the names in its certificate.
std::optional<HttpReply> RefusalOfCaller(const AccessControl* control, ApiCategory category,
                                         const HttpRequest& request, const PeerNames& peer,
                                         bool plaintext);

}  // namespace inferd
