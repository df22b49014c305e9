#include "server/http/http_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

HttpReply Get(const HttpRoutes& routes, const std::string& target,
              const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  request.target = target;
  return routes.Answer(std::move(request));
}

HttpRoutes Routes() {
  HttpRoutes routes;
  routes.Add("GET", "/fixed", [](const HttpRequest&) { return HttpReply{200, "text/plain", "f"}; });
  routes.Add("GET", "/models/*/ready", [](const HttpRequest& request) {
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

TEST(HttpRoutes, ErrorsAreJsonWhateverTheirText) {
  const HttpReply reply = HttpError(400, "say \"no\"\n\\ \xff");
  EXPECT_EQ(reply.body, "{\"error\":\"say \\\"no\\\"\\u000a\\\\ \\u00ff\"}\n");
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_THAT(Get(Routes(), "/<x>").body, HasSubstr("nothing at /<x>"));
}

}  // namespace
}  // namespace inferd
