#include "server/http/http_access.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "server/metrics/log.h"

namespace inferd {
std::shared_ptr<SSL_CTX> HttpTlsContext::Current() {
  if (certificates_ == nullptr) return nullptr;
  std::shared_ptr<const TlsMaterial> now = certificates_->current();
  MutexLock lock(&mutex_);
  if (now == material_) return context_;
  absl::StatusOr<SslContext> made = MakeServerContext(certificates_->options(), *now);
  if (made.ok()) {
    context_ = std::shared_ptr<SSL_CTX>(made->release(), SSL_CTX_free);
    material_ = std::move(now);
  } else {
    LogError(made.status().message());
  }
  return context_;
}

std::optional<HttpReply> RefusalOfCaller(const AccessControl* control, ApiCategory category,
                                         const HttpRequest& request, const PeerNames& peer,
                                         bool plaintext) {
  if (control == nullptr) return std::nullopt;
  std::vector<absl::string_view> authorization;
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "authorization")) authorization.push_back(value);
  }
  const std::vector<absl::string_view> dns(peer.dns.begin(), peer.dns.end());
  const std::vector<absl::string_view> uris(peer.uris.begin(), peer.uris.end());
  const absl::Status status = control->Check(category, {authorization, dns, uris, plaintext});
  if (status.ok()) return std::nullopt;
  HttpReply reply = HttpError(status);
  if (absl::IsUnauthenticated(status)) reply.headers.emplace_back("WWW-Authenticate", "Bearer");
  return reply;
}

}  // namespace inferd
