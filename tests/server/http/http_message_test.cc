#include "server/http/http_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

std::string Json(absl::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(HttpMessage, ErrorsAreJsonWhateverTheirText) {
  const HttpReply reply = HttpError(400, "say \"no\"\n\\ \xff");
  EXPECT_EQ(reply.body, "{\"error\":\"say \\\"no\\\"\\n\\\\ \xef\xbf\xbd\"}\n");
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.code, 400);
}

TEST(HttpMessage, TextIsKeptAndControlCharactersAreEscaped) {
  EXPECT_EQ(Json("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\"");
  EXPECT_EQ(Json(absl::string_view("a\0b\x1f\x7f", 5)), "\"a\\u0000b\\u001f\\u007f\"");
}

TEST(HttpMessage, KnowsWhatIsUtf8) {
  EXPECT_EQ(Utf8Length("a"), 1);
  EXPECT_EQ(Utf8Length("\xc3\xbc"), 2);
  EXPECT_EQ(Utf8Length("\xe2\x82\xac"), 3);
  EXPECT_EQ(Utf8Length("\xf4\x8f\xbf\xbf"), 4);
  for (const char* wrong : {"", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                            "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x82"}) {
    EXPECT_EQ(Utf8Length(wrong), 0) << wrong;
  }
}

TEST(HttpMessage, HeadersAreFoundWhateverTheirCase) {
  HttpRequest request;
  request.headers = {{"Content-Type", "a"}, {"X-Two", "1"}, {"x-two", "2"}};
  EXPECT_EQ(request.Header("content-type"), "a");
  EXPECT_EQ(request.Header("X-TWO"), "1");
  EXPECT_EQ(request.Header("none"), "");
}

TEST(HttpMessage, StatusesHaveTheirCodes) {
  EXPECT_EQ(HttpError(absl::InvalidArgumentError("x")).code, 400);
  EXPECT_EQ(HttpError(absl::NotFoundError("x")).code, 404);
  EXPECT_EQ(HttpError(absl::ResourceExhaustedError("x")).code, 429);
  EXPECT_EQ(HttpError(absl::InternalError("x")).code, 500);
  EXPECT_EQ(HttpError(absl::UnimplementedError("x")).code, 501);
  EXPECT_EQ(HttpError(absl::UnavailableError("x")).code, 503);
  EXPECT_EQ(HttpError(absl::DeadlineExceededError("x")).code, 504);
}

}  // namespace
}  // namespace inferd
