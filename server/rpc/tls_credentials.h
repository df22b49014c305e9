#pragma once

#include <grpc/grpc_security.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "server/security/certificate_watcher.h"

namespace inferd {

// Credentials for a gRPC port whose certificates are those that a CertificateWatcher has at each
// handshake: TLS 1.2 and newer, with client certificates as its options say. Must outlive the
// server that uses them. Thread-safe.
class TlsCredentials final : public grpc::ServerCredentials {
 public:
  // `watcher` outlives it.
  explicit TlsCredentials(const CertificateWatcher* watcher);
  ~TlsCredentials() override;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  // gRPC asks at each handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config);

  const CertificateWatcher& watcher_;
  std::shared_ptr<const TlsMaterial> fetched_;
  grpc_server_credentials* const credentials_;
};

}  // namespace inferd
