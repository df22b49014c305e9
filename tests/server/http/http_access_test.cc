#include "server/http/http_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace inferd {
namespace {

using ::testing::Contains;
using ::testing::Pair;

class HttpAccessTest : public ::testing::Test {
 protected:
  HttpAccessTest() {
    AccessOptions options;
    options.config_path = ::testing::TempDir() + "http_access_test.pbtxt";
    options.reload_interval = absl::Hours(1);
    std::ofstream(options.config_path)
        << "role { name: 'user' allow: INFERENCE } identity { name: 'ann' role: 'user' "
        << "token_sha256: '" << Sha256Text(Sha256("token")) << "' uri: 'spiffe://ann' }";
    auto control = AccessControl::Start(options);
    EXPECT_TRUE(control.ok()) << control.status();
    control_ = *std::move(control);
    std::remove(options.config_path.c_str());
  }

  int Code(ApiCategory category, const HttpHeaders& headers, const PeerNames& peer = {},
           bool plaintext = false) {
    HttpRequest request;
    request.headers = headers;
    const auto refusal = RefusalOfCaller(control_.get(), category, request, peer, plaintext);
    return refusal ? refusal->code : 200;
  }

  std::unique_ptr<AccessControl> control_;
};

TEST_F(HttpAccessTest, EverybodyMayCallWithoutRules) {
  EXPECT_FALSE(RefusalOfCaller(nullptr, ApiCategory::kModelRepository, HttpRequest(), {}, true));
}

TEST_F(HttpAccessTest, TellsWhoIsUnknownFromWhoMayNot) {
  const HttpHeaders token = {{"AUTHORIZATION", "bearer token"}};
  EXPECT_EQ(Code(ApiCategory::kInference, token), 200);
  EXPECT_EQ(Code(ApiCategory::kInference, {}, {{}, {"spiffe://ann"}}), 200);
  EXPECT_EQ(Code(ApiCategory::kLogging, token), 403);
  EXPECT_EQ(Code(ApiCategory::kInference, {}), 401);
  EXPECT_EQ(Code(ApiCategory::kInference, {}, {{"spiffe://ann"}, {}}), 401);
  EXPECT_EQ(Code(ApiCategory::kInference, token, {}, /*plaintext=*/true), 401);
  EXPECT_EQ(Code(ApiCategory::kInference, {token[0], token[0]}), 401);
}

TEST_F(HttpAccessTest, SaysWhatCredentialsItTakes) {
  const auto refusal =
      RefusalOfCaller(control_.get(), ApiCategory::kHealth, HttpRequest(), {}, true);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_THAT(refusal->headers, Contains(Pair("WWW-Authenticate", "Bearer")));
}

}  // namespace
}  // namespace inferd
