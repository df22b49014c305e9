#include "server/rpc/tls_credentials.h"

#include <grpc/grpc.h>

namespace inferd {
namespace {

grpc_ssl_client_certificate_request_type ClientRequest(const TlsOptions& options) {
  if (options.client_ca_path.empty()) return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
  return options.client_optional ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                                 : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
}

}  // namespace

TlsCredentials::TlsCredentials(const CertificateWatcher* watcher)
    : watcher_(*watcher),
      credentials_(grpc_ssl_server_credentials_create_with_options(
          grpc_ssl_server_credentials_create_options_using_config_fetcher(
              ClientRequest(watcher->options()), &TlsCredentials::Fetch, this))) {}

TlsCredentials::~TlsCredentials() { grpc_server_credentials_release(credentials_); }

int TlsCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  return grpc_server_add_http2_port(server, address.c_str(), credentials_);
}

grpc_ssl_certificate_config_reload_status TlsCredentials::Fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto* credentials = static_cast<TlsCredentials*>(self);
  std::shared_ptr<const TlsMaterial> now = credentials->watcher_.current();
  if (now == credentials->fetched_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {now->key.c_str(), now->certificates.c_str()};
  // gRPC wants some authority even where it asks clients for nothing.
  const std::string& authorities =
      now->client_authorities.empty() ? now->certificates : now->client_authorities;
  *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
  credentials->fetched_ = std::move(now);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace inferd
