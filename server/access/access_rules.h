#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/access/api_category.h"
#include "server/security/sha256.h"

namespace inferd {

// What a call says of who makes it. Views of what outlives the check.
struct CallerCredentials {
  // The values of the header "authorization".
  absl::Span<const absl::string_view> authorization;
  // Names in a client certificate that was verified.
  absl::Span<const absl::string_view> dns;
  absl::Span<const absl::string_view> uris;
  // Whether others could have read it on its way.
  bool plaintext = true;
};

// Who may do what, out of an access file (proto/access_config.proto). Immutable.
class AccessRules {
 public:
  // `text` is the file's; `tokens` that of its token file, if it names one. INVALID_ARGUMENT with
  // what is wrong and where.
  static absl::StatusOr<AccessRules> Parse(absl::string_view text, absl::string_view tokens);
  // The token file that an access file names; empty when it names none.
  static absl::StatusOr<std::string> TokenFileOf(absl::string_view text);

  // UNAUTHENTICATED for credentials that are bad or missing, PERMISSION_DENIED for a caller who is
  // known but has no role for it. Messages never repeat a credential. Tokens are not taken from
  // plaintext connections unless `plaintext_tokens`.
  absl::Status Check(ApiCategory category, const CallerCredentials& caller,
                     bool plaintext_tokens) const;

 private:
  friend class AccessRulesParser;
  struct Identity {
    std::string name;
    uint32_t allowed = 0;  // bits by ApiCategory
  };
  struct Token {
    Sha256Digest digest;
    size_t identity;
  };

  const Identity* OfToken(absl::string_view token) const;
  const Identity* OfCertificate(const CallerCredentials& caller) const;

  std::vector<Identity> identities_;
  // By the first bytes of the digest, which tell nothing of the token.
  absl::flat_hash_map<uint64_t, std::vector<Token>> tokens_;
  absl::flat_hash_map<std::string, size_t> dns_;
  absl::flat_hash_map<std::string, size_t> uris_;
  uint32_t anonymous_ = 0;
};

}  // namespace inferd
