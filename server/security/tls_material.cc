#include "server/security/tls_material.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "server/security/small_file.h"

namespace inferd {
namespace {

constexpr int kReadAttempts = 5;
constexpr int kMaxCertificates = 1000;

struct Delete {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Delete>;
using Key = std::unique_ptr<EVP_PKEY, Delete>;

std::unique_ptr<BIO, Delete> View(const std::string& text) {
  return std::unique_ptr<BIO, Delete>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// What OpenSSL says of its last failure; forgets it.
std::string LastError() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  ERR_clear_error();
  return reason == nullptr ? "unknown error" : reason;
}

// Without it OpenSSL asks the terminal.
int NoPassword(char*, int, int, void*) { return -1; }

absl::StatusOr<std::vector<Certificate>> ParseCertificates(const std::string& text,
                                                           const std::string& path) {
  const auto bio = View(text);
  std::vector<Certificate> certificates;
  while (certificates.size() < kMaxCertificates) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!certificates.empty() && at_end) {
    ERR_clear_error();
    return certificates;
  }
  const std::string error = LastError();
  return absl::InvalidArgumentError(
      absl::StrCat("'", path, "': expected PEM certificates, ",
                   certificates.empty() ? "found none: " : "the last one is damaged: ", error));
}

absl::StatusOr<Key> ParseKey(const std::string& text, const std::string& path) {
  const auto bio = View(text);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  if (key != nullptr) return key;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", path, "': expected a PEM private key that is not encrypted: ", LastError()));
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time, const std::string& path) {
  std::tm broken_down = {};
  if (ASN1_TIME_to_tm(time, &broken_down) == 1) {
    return absl::FromTM(broken_down, absl::UTCTimeZone());
  }
  return absl::InvalidArgumentError(absl::StrCat("'", path, "': its times cannot be read"));
}

std::string SubjectOf(X509* certificate) {
  char name[256] = "";
  X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
  return name;
}

absl::Status Refused(const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not accepted: ", LastError()));
}

absl::Status TrustClients(const TlsOptions& options, const TlsMaterial& material,
                          SSL_CTX* context) {
  ASSIGN_OR_RETURN(const std::vector<Certificate> authorities,
                   ParseCertificates(material.client_authorities, options.client_ca_path));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& authority : authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return Refused(options.client_ca_path);
    }
  }
  SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | (options.client_optional ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT),
      nullptr);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TlsMaterial> ReadTlsMaterial(const TlsOptions& options) {
  TlsMaterial material;
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    ASSIGN_OR_RETURN(material.certificates, ReadSmallFile(options.certificate_path));
    ASSIGN_OR_RETURN(material.key, ReadSmallFile(options.key_path));
    if (!options.client_ca_path.empty()) {
      ASSIGN_OR_RETURN(material.client_authorities, ReadSmallFile(options.client_ca_path));
    }
    ASSIGN_OR_RETURN(const std::string again, ReadSmallFile(options.certificate_path));
    if (again == material.certificates) return material;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", options.certificate_path, "' keeps changing while it is read"));
}

absl::Status CheckTlsMaterial(const TlsOptions& options, absl::Time now, TlsMaterial* material) {
  RETURN_IF_ERROR(MakeServerContext(options, *material).status());
  const std::string& path = options.certificate_path;
  ASSIGN_OR_RETURN(const std::vector<Certificate> chain,
                   ParseCertificates(material->certificates, path));
  X509* own = chain.front().get();
  material->subject = SubjectOf(own);
  ASSIGN_OR_RETURN(material->expires, TimeOf(X509_get0_notAfter(own), path));
  ASSIGN_OR_RETURN(const absl::Time begins, TimeOf(X509_get0_notBefore(own), path));
  if (now >= material->expires) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "': the certificate expired on ",
                                                   absl::FormatTime(material->expires)));
  }
  if (now < begins) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "': the certificate is valid from ",
                                                   absl::FormatTime(begins), " on"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAuthorities(const std::string& path) {
  ASSIGN_OR_RETURN(std::string text, ReadSmallFile(path));
  RETURN_IF_ERROR(ParseCertificates(text, path).status());
  return text;
}

absl::StatusOr<SslContext> MakeServerContext(const TlsOptions& options,
                                             const TlsMaterial& material) {
  ERR_clear_error();
  ASSIGN_OR_RETURN(const std::vector<Certificate> chain,
                   ParseCertificates(material.certificates, options.certificate_path));
  ASSIGN_OR_RETURN(const Key key, ParseKey(material.key, options.key_path));
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError(absl::StrCat("'", options.key_path,
                                                   "' is not the key of the first certificate in '",
                                                   options.certificate_path, "'"));
  }
  SslContext context(SSL_CTX_new(TLS_server_method()));
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Sessions would outlive a change of what is trusted.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  if (SSL_CTX_use_certificate(context.get(), chain.front().get()) != 1) {
    return Refused(options.certificate_path);
  }
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), chain[i].get()) != 1) {
      return Refused(options.certificate_path);
    }
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) return Refused(options.key_path);
  if (!options.client_ca_path.empty()) {
    RETURN_IF_ERROR(TrustClients(options, material, context.get()));
  }
  return context;
}

}  // namespace inferd
