#include "server/http/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

HttpReply Get(const HttpRoutes& routes, const std::string& target,
              const std::string& method = "GET") {
  HttpRoutes::Match match = routes.Find(method, target);
  if (match.route == nullptr) return std::move(match.refusal);
  HttpRequest request;
  request.captures = std::move(match.captures);
  HttpReply reply;
  const auto call = std::make_shared<HttpCall>(std::move(request),
                                               [&](HttpCall::MakeReply make) { reply = make(); });
  match.route->handler(call);
  return reply;
}

HttpRoutes Routes() {
  HttpRoutes routes;
  routes.Add(ApiCategory::kHealth, "GET", "/fixed", [](const HttpRequest&) {
    return HttpReply{200, "text/plain", "f"};
  });
  routes.Add(ApiCategory::kHealth, "GET", "/models/*/ready", [](const HttpRequest& request) {
    return HttpReply{200, "text/plain", request.captures[0]};
  });
  return routes;
}

TEST(HttpRoutes, FindsTheHandlerOfAPath) {
  EXPECT_EQ(Get(Routes(), "/fixed").body, "f");
  EXPECT_EQ(Get(Routes(), "/fixed?x=1/2").body, "f");
  EXPECT_EQ(Get(Routes(), "/models/a.b-1/ready").body, "a.b-1");
}

TEST(HttpRoutes, DecodesSegments) {
  EXPECT_EQ(Get(Routes(), "/models/a%2Fb%20c/ready").body, "a/b c");
  EXPECT_EQ(Get(Routes(), "/%66ixed").body, "f");
  EXPECT_THAT(*PathSegments("/a//%41"), ElementsAre("a", "", "A"));
}

TEST(HttpRoutes, RefusesPathsThatCannotBeDecoded) {
  EXPECT_EQ(Get(Routes(), "/models/%zz/ready").code, 400);
  EXPECT_EQ(Get(Routes(), "/models/%4").code, 400);
  EXPECT_EQ(Get(Routes(), "/%").code, 400);
  EXPECT_EQ(Get(Routes(), "*").code, 400);
  EXPECT_EQ(Get(Routes(), "").code, 400);
}

TEST(HttpRoutes, SaysWhatIsNotThere) {
  EXPECT_EQ(Get(Routes(), "/other").code, 404);
  EXPECT_EQ(Get(Routes(), "/fixed/").code, 404);
  EXPECT_EQ(Get(Routes(), "/models//x/ready").code, 404);
  EXPECT_EQ(Get(Routes(), "/fixed", "POST").code, 405);
}

TEST(HttpRoutes, HeadIsAnsweredAsGet) { EXPECT_EQ(Get(Routes(), "/fixed", "HEAD").code, 200); }

TEST(HttpRoutes, ARouteHasItsCategory) {
  const HttpRoutes routes = Routes();
  EXPECT_EQ(routes.Find("GET", "/fixed").route->category, ApiCategory::kHealth);
}

TEST(HttpRoutes, ARefusedMethodLearnsWhichAreTaken) {
  const HttpReply reply = Get(Routes(), "/fixed", "POST");
  EXPECT_THAT(reply.headers, ElementsAre(std::make_pair("Allow", "GET")));
  EXPECT_THAT(Get(Routes(), "/<x>").body, HasSubstr("nothing at /<x>"));
}

}  // namespace
}  // namespace inferd
