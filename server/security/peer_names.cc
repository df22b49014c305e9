#include "server/security/peer_names.h"

#include <openssl/x509v3.h>

#include <memory>

namespace inferd {
namespace {

struct Delete {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

}  // namespace

PeerNames PeerNamesOf(const SSL* connection) {
  PeerNames found;
  const std::unique_ptr<X509, Delete> certificate(SSL_get1_peer_certificate(connection));
  if (certificate == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return found;
  const std::unique_ptr<GENERAL_NAMES, Delete> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text =
        name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
    // With its length: a name may hold zero bytes, and must not pass for what stands before one.
    (name->type == GEN_DNS ? found.dns : found.uris)
        .emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return found;
}

}  // namespace inferd
