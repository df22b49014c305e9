#include "server/access/access_rules.h"

#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "config/text_proto.h"
#include "engine/core/status_macros.h"
#include "proto/access_config.pb.h"

namespace inferd {
namespace {

using config::AccessConfig;

constexpr absl::string_view kBearer = "bearer ";
constexpr size_t kMaxTokenBytes = 4096;

uint32_t BitOf(ApiCategory category) { return uint32_t{1} << static_cast<int>(category); }

uint64_t FirstBytes(const Sha256Digest& digest) {
  uint64_t first;
  std::memcpy(&first, digest.data(), sizeof(first));
  return first;
}

absl::Status Invalid(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("access config: ", what));
}

absl::StatusOr<AccessConfig> ParseText(absl::string_view text) {
  AccessConfig config;
  RETURN_IF_ERROR(ParseTextProto(text, "access config", &config));
  return config;
}

}  // namespace

// Builds AccessRules, checking every name. Used by one thread at a time.
class AccessRulesParser {
 public:
  absl::StatusOr<AccessRules> Parse(const AccessConfig& config, absl::string_view tokens) {
    for (const auto& role : config.role()) RETURN_IF_ERROR(AddRole(role));
    for (const auto& identity : config.identity()) RETURN_IF_ERROR(AddIdentity(identity));
    if (!config.anonymous_role().empty()) {
      ASSIGN_OR_RETURN(rules_.anonymous_, BitsOf(config.anonymous_role(), "anonymous_role"));
    }
    RETURN_IF_ERROR(AddTokenLines(tokens));
    return std::move(rules_);
  }

 private:
  absl::Status AddRole(const AccessConfig::Role& role) {
    if (role.name().empty()) return Invalid("expected every role to have a name");
    uint32_t bits = 0;
    for (const int category : role.allow()) {
      if (category == AccessConfig::NONE) {
        return Invalid(absl::StrCat("role '", role.name(), "': NONE is no group of calls"));
      }
      bits |= uint32_t{1} << category;
    }
    if (roles_.emplace(role.name(), bits).second) return absl::OkStatus();
    return Invalid(absl::StrCat("role '", role.name(), "' stands there twice"));
  }

  absl::StatusOr<uint32_t> BitsOf(const std::string& role, absl::string_view where) const {
    const auto it = roles_.find(role);
    if (it != roles_.end()) return it->second;
    return Invalid(absl::StrCat(where, ": there is no role '", role, "'"));
  }

  absl::Status AddIdentity(const AccessConfig::Identity& identity) {
    if (identity.name().empty()) return Invalid("expected every identity to have a name");
    const std::string where = absl::StrCat("identity '", identity.name(), "'");
    const size_t index = rules_.identities_.size();
    if (!names_.emplace(identity.name(), index).second) {
      return Invalid(absl::StrCat(where, " stands there twice"));
    }
    AccessRules::Identity& made = rules_.identities_.emplace_back();
    made.name = identity.name();
    for (const std::string& role : identity.role()) {
      ASSIGN_OR_RETURN(const uint32_t bits, BitsOf(role, where));
      made.allowed |= bits;
    }
    for (const std::string& token : identity.token_sha256()) {
      RETURN_IF_ERROR(AddToken(token, index, where));
    }
    for (const std::string& name : identity.dns()) {
      RETURN_IF_ERROR(AddName(name, index, where, &rules_.dns_));
    }
    for (const std::string& name : identity.uri()) {
      RETURN_IF_ERROR(AddName(name, index, where, &rules_.uris_));
    }
    return absl::OkStatus();
  }

  absl::Status AddToken(absl::string_view hex, size_t identity, absl::string_view where) {
    const absl::StatusOr<Sha256Digest> digest = ParseSha256(hex);
    if (!digest.ok()) return Invalid(absl::StrCat(where, ": ", digest.status().message()));
    std::vector<AccessRules::Token>& bucket = rules_.tokens_[FirstBytes(*digest)];
    for (const AccessRules::Token& token : bucket) {
      if (token.digest == *digest) return Invalid(absl::StrCat(where, ": a token of two callers"));
    }
    bucket.push_back({*digest, identity});
    return absl::OkStatus();
  }

  absl::Status AddName(const std::string& name, size_t identity, absl::string_view where,
                       absl::flat_hash_map<std::string, size_t>* names) {
    if (name.empty()) return Invalid(absl::StrCat(where, ": a name of a certificate is empty"));
    if (names->emplace(name, identity).second) return absl::OkStatus();
    return Invalid(absl::StrCat(where, ": the certificate name '", name, "' is of two callers"));
  }

  absl::Status AddTokenLines(absl::string_view text) {
    int number = 0;
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++number;
      line = absl::StripAsciiWhitespace(line);
      if (line.empty() || line[0] == '#') continue;
      const std::string where = absl::StrCat("token file, line ", number);
      const std::vector<absl::string_view> parts =
          absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
      if (parts.size() != 2) {
        return Invalid(absl::StrCat(where, ": expected a SHA-256 and an identity's name"));
      }
      const auto identity = names_.find(parts[1]);
      if (identity == names_.end()) {
        return Invalid(absl::StrCat(where, ": there is no identity '", parts[1], "'"));
      }
      RETURN_IF_ERROR(AddToken(parts[0], identity->second, where));
    }
    return absl::OkStatus();
  }

  AccessRules rules_;
  absl::flat_hash_map<std::string, uint32_t> roles_;
  absl::flat_hash_map<std::string, size_t> names_;
};

absl::StatusOr<AccessRules> AccessRules::Parse(absl::string_view text, absl::string_view tokens) {
  ASSIGN_OR_RETURN(const AccessConfig config, ParseText(text));
  return AccessRulesParser().Parse(config, tokens);
}

absl::StatusOr<std::string> AccessRules::TokenFileOf(absl::string_view text) {
  ASSIGN_OR_RETURN(const AccessConfig config, ParseText(text));
  return config.token_file();
}

const AccessRules::Identity* AccessRules::OfToken(absl::string_view token) const {
  const Sha256Digest digest = Sha256(token);
  const auto bucket = tokens_.find(FirstBytes(digest));
  if (bucket == tokens_.end()) return nullptr;
  for (const Token& known : bucket->second) {
    if (EqualDigests(known.digest, digest)) return &identities_[known.identity];
  }
  return nullptr;
}

const AccessRules::Identity* AccessRules::OfCertificate(const CallerCredentials& caller) const {
  for (const absl::string_view name : caller.uris) {
    if (const auto it = uris_.find(name); it != uris_.end()) return &identities_[it->second];
  }
  for (const absl::string_view name : caller.dns) {
    if (const auto it = dns_.find(name); it != dns_.end()) return &identities_[it->second];
  }
  return nullptr;
}

absl::Status AccessRules::Check(ApiCategory category, const CallerCredentials& caller,
                                bool plaintext_tokens) const {
  const Identity* who = nullptr;
  if (!caller.authorization.empty()) {
    const absl::string_view header = caller.authorization[0];
    if (caller.authorization.size() > 1 || !absl::StartsWithIgnoreCase(header, kBearer) ||
        header.size() > kMaxTokenBytes) {
      return absl::UnauthenticatedError("expected one header 'authorization: Bearer TOKEN'");
    }
    if (caller.plaintext && !plaintext_tokens) {
      return absl::UnauthenticatedError(
          "tokens are not taken over a connection without TLS; this one should be replaced");
    }
    who = OfToken(absl::StripAsciiWhitespace(header.substr(kBearer.size())));
    if (who == nullptr) return absl::UnauthenticatedError("the token is not known");
  } else {
    who = OfCertificate(caller);
  }
  const uint32_t allowed = anonymous_ | (who == nullptr ? 0 : who->allowed);
  if ((allowed & BitOf(category)) != 0) return absl::OkStatus();
  if (who != nullptr) {
    return absl::PermissionDeniedError(
        absl::StrCat("'", who->name, "' may not make ", CategoryName(category), " calls"));
  }
  return absl::UnauthenticatedError(
      absl::StrCat(CategoryName(category),
                   " calls take credentials: a bearer token or the certificate of a known client"));
}

}  // namespace inferd
