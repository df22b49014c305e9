#include "server/access/access_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "correct horse";
constexpr ApiCategory kAll[] = {ApiCategory::kHealth,       ApiCategory::kMetadata,
                                ApiCategory::kInference,    ApiCategory::kModelRepository,
                                ApiCategory::kSharedMemory, ApiCategory::kStatistics,
                                ApiCategory::kTrace,        ApiCategory::kLogging};

std::string Config(const std::string& more = "") {
  return absl::StrCat(R"(
      role { name: "probe" allow: HEALTH }
      role { name: "user" allow: METADATA allow: INFERENCE }
      role { name: "operator" allow: MODEL_REPOSITORY }
      identity { name: "ann" role: "user" token_sha256: ")",
                      Sha256Text(Sha256(kToken)), R"(" }
      identity { name: "bob" role: "user" role: "operator"
                 dns: "bob.example" uri: "spiffe://x/bob" }
      anonymous_role: "probe")",
                      more);
}

AccessRules Rules(const std::string& tokens = "") {
  absl::StatusOr<AccessRules> rules = AccessRules::Parse(Config(), tokens);
  EXPECT_TRUE(rules.ok()) << rules.status();
  return *std::move(rules);
}

// The code for a caller with these headers and certificate names.
struct Caller {
  std::vector<absl::string_view> authorization, dns, uris;
  bool plaintext = false;

  absl::Status Check(const AccessRules& rules, ApiCategory category,
                     bool plaintext_tokens = false) const {
    CallerCredentials credentials;
    credentials.authorization = authorization;
    credentials.dns = dns;
    credentials.uris = uris;
    credentials.plaintext = plaintext;
    return rules.Check(category, credentials, plaintext_tokens);
  }
};

std::string ParseError(const std::string& config, const std::string& tokens = "") {
  const auto rules = AccessRules::Parse(config, tokens);
  return rules.ok() ? "OK" : std::string(rules.status().message());
}

TEST(AccessRules, GivesEachCallerItsRolesAndTheAnonymousOne) {
  const AccessRules rules = Rules();
  const std::string bearer = absl::StrCat("Bearer ", kToken);
  const Caller anonymous, ann = {{bearer}, {}, {}}, bob_dns = {{}, {"bob.example"}, {}},
                          bob_uri = {{}, {}, {"spiffe://x/bob"}};
  const auto codes = [&](const Caller& caller) {
    std::string text;
    for (const ApiCategory category : kAll) {
      const absl::StatusCode code = caller.Check(rules, category).code();
      text += code == absl::StatusCode::kOk                 ? '+'
              : code == absl::StatusCode::kUnauthenticated  ? '?'
              : code == absl::StatusCode::kPermissionDenied ? '-'
                                                            : 'X';
    }
    return text;
  };
  EXPECT_EQ(codes(anonymous), "+???????");
  EXPECT_EQ(codes(ann), "+++-----");
  EXPECT_EQ(codes(bob_dns), "++++----");
  EXPECT_EQ(codes(bob_uri), "++++----");
}

TEST(AccessRules, ComparesCertificateNamesExactly) {
  const AccessRules rules = Rules();
  for (const Caller& caller :
       {Caller{{}, {"sub.bob.example", "*.example", "BOB.example"}, {}},
        Caller{{}, {"spiffe://x/bob"}, {"bob.example", "spiffe://x/bob/", "spiffe://x"}}}) {
    EXPECT_EQ(caller.Check(rules, ApiCategory::kInference).code(),
              absl::StatusCode::kUnauthenticated);
  }
}

TEST(AccessRules, BadTokensAreRefusedEvenForWhatEverybodyMayDo) {
  const AccessRules rules = Rules();
  const std::string bearer = absl::StrCat("Bearer ", kToken);
  for (const Caller& caller :
       {Caller{{"Bearer wrong-secret"}, {}, {}}, Caller{{"Bearer "}, {}, {}},
        Caller{{"Basic wrong-secret"}, {}, {}}, Caller{{""}, {}, {}},
        Caller{{bearer, bearer}, {}, {}}, Caller{{"Bearer wrong-secret"}, {"bob.example"}, {}},
        Caller{{bearer}, {}, {}, true}}) {
    const absl::Status status = caller.Check(rules, ApiCategory::kHealth);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("secret")));
    EXPECT_THAT(status.ToString(), Not(HasSubstr("horse")));
  }
  const Caller plain = {{"bEARER correct horse"}, {}, {}, true};
  EXPECT_TRUE(plain.Check(rules, ApiCategory::kInference, /*plaintext_tokens=*/true).ok());
}

TEST(AccessRules, TakesTokensFromAFileToo) {
  const AccessRules rules =
      Rules(absl::StrCat("# comment\n\n", Sha256Text(Sha256("second")), "  bob\n"));
  const Caller bob = {{"Bearer second"}, {}, {}};
  EXPECT_TRUE(bob.Check(rules, ApiCategory::kModelRepository).ok());
}

TEST(AccessRules, NobodyMayDoAnythingWithoutRules) {
  const auto rules = AccessRules::Parse("", "");
  ASSERT_TRUE(rules.ok());
  for (const ApiCategory category : kAll) {
    EXPECT_EQ(Caller().Check(*rules, category).code(), absl::StatusCode::kUnauthenticated);
  }
}

TEST(AccessRules, ReadsTheExample) {
  std::ifstream file(INFERD_TESTS_DIR "/../config/examples/access.pbtxt");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(ParseError(text.str()), "OK");
  const auto rules = AccessRules::Parse(text.str(), "");
  ASSERT_TRUE(rules.ok());
  EXPECT_TRUE((Caller{{"Bearer test"}, {}, {}}).Check(*rules, ApiCategory::kInference).ok());
}

TEST(AccessRules, SaysWhatIsWrongInItsFiles) {
  EXPECT_THAT(ParseError("role { nam: \"x\" }"), HasSubstr("line 1"));
  EXPECT_THAT(ParseError("role { name: \"x\" allow: FLYING }"), HasSubstr("FLYING"));
  EXPECT_THAT(ParseError("role { name: \"x\" allow: NONE }"), HasSubstr("no group of calls"));
  EXPECT_THAT(ParseError("role { allow: HEALTH }"), HasSubstr("every role to have a name"));
  EXPECT_THAT(ParseError("anonymous_role: \"x\""), HasSubstr("there is no role 'x'"));
  EXPECT_THAT(ParseError(Config(" role { name: \"user\" }")),
              HasSubstr("'user' stands there twice"));
  EXPECT_THAT(ParseError("identity { name: \"a\" token_sha256: \"12\" }"),
              HasSubstr("identity 'a': expected a SHA-256"));
  EXPECT_THAT(ParseError(Config(" identity { name: \"eve\" dns: \"bob.example\" }")),
              HasSubstr("is of two callers"));
  const std::string digest = Sha256Text(Sha256(kToken));
  EXPECT_THAT(ParseError(Config(), digest + " bob"), HasSubstr("line 1: a token of two callers"));
  EXPECT_THAT(ParseError(Config(), "x\n"), HasSubstr("token file, line 1: expected a SHA-256"));
  EXPECT_THAT(ParseError(Config(), digest + " nobody"), HasSubstr("no identity 'nobody'"));
}

}  // namespace
}  // namespace inferd
