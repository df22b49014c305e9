#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/server_options.h"

namespace inferd {

// What a TLS port presents and trusts, as PEM text. Immutable once checked.
struct TlsMaterial {
  std::string certificates;  // the port's own first, then those between it and the authority
  std::string key;
  std::string client_authorities;  // empty: clients show no certificates

  // Filled in by CheckTlsMaterial.
  std::string subject;
  absl::Time expires;
};

struct SslContextDelete {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextDelete>;

// Reads the files that `options` names, all of one moment even where a mounted volume changes
// meanwhile.
absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsOptions& options);

// INVALID_ARGUMENT saying which file (by the names in `options`) is wrong and how: not PEM, the key
// does not belong to the certificate, too weak, expired at `now` or not valid yet.
absl::Status CheckTlsMaterial(const TlsOptions& options, absl::Time now, TlsMaterial* material);

// The PEM text of a file of certificates that are to be trusted. INVALID_ARGUMENT naming the file.
absl::StatusOr<std::string> ReadAuthorities(const std::string& path);

// A context for servers: TLS 1.2 and newer. Asks clients for certificates as `options` say. Errors
// as above.
absl::StatusOr<SslContext> MakeServerContext(const TlsOptions& options,
                                             const TlsMaterial& material);

}  // namespace inferd
