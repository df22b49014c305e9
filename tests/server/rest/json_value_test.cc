#include "server/rest/json_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(absl::string_view text, const JsonLimits& limits = {}) {
  const auto value = ParseJson(text, limits);
  EXPECT_TRUE(absl::IsInvalidArgument(value.status())) << value.status();
  return std::string(value.status().message());
}

TEST(JsonValue, ReadsEveryKind) {
  const auto value = ParseJson(R"({"n":null,"b":true,"i":-5,"s":"a\u00fc\n","a":[1,[2]],"o":{}})");
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ((*value->Find("n"))->kind, JsonValue::Kind::kNull);
  EXPECT_TRUE((*value->Find("b"))->boolean);
  EXPECT_EQ((*value->Find("s"))->text, "a\xc3\xbc\n");
  EXPECT_EQ((*value->Find("a"))->items[1].items[0].text, "2");
  EXPECT_TRUE((*value->Find("o"))->IsObject());
  EXPECT_EQ(*value->Find("x"), nullptr);
}

TEST(JsonValue, NumbersKeepTheirText) {
  const auto value = ParseJson("[9223372036854775807, 18446744073709551615, 0.1, 1e2, -0]");
  ASSERT_TRUE(value.ok()) << value.status();
  int64_t number;
  uint64_t large;
  double real;
  EXPECT_TRUE(value->items[0].GetInt64(&number));
  EXPECT_EQ(number, INT64_MAX);
  EXPECT_FALSE(value->items[1].GetInt64(&number));
  EXPECT_TRUE(value->items[1].GetUint64(&large));
  EXPECT_EQ(large, UINT64_MAX);
  EXPECT_FALSE(value->items[2].GetInt64(&number));
  EXPECT_TRUE(value->items[2].GetDouble(&real));
  EXPECT_EQ(real, 0.1);
  EXPECT_FALSE(value->items[3].GetInt64(&number));
  EXPECT_TRUE(value->items[3].GetDouble(&real));
  EXPECT_EQ(real, 100);
}

TEST(JsonValue, RefusesWhatIsNoJson) {
  for (const char* text :
       {"",    " ",        "{",           "[1,]", "{\"a\":}", "{a:1}",  "[1 2]", "01",
        "1.",  "+1",       "tru",         "\"",   "\"\\x\"",  "\"\n\"", "{} {}", "[1]x",
        "'a'", "\"\xff\"", "\"\\ud800\"", "--1",  ".5",       "nan"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("expected JSON")) << text;
  }
  EXPECT_THAT(ErrorOf(absl::string_view("[1]\0[2]", 7)), HasSubstr("zero byte"));
  EXPECT_THAT(ErrorOf("[1, x]"), HasSubstr("at byte 4 of 6"));
}

TEST(JsonValue, EveryCutIsAnError) {
  const std::string text = R"({"a":[1,2.5e3,"x\u00e4"],"b":{"c":null}})";
  ASSERT_TRUE(ParseJson(text).ok());
  for (size_t size = 0; size < text.size(); ++size) ErrorOf(text.substr(0, size));
}

TEST(JsonValue, DepthIsBounded) {
  JsonLimits limits;
  limits.max_depth = 3;
  EXPECT_TRUE(ParseJson("[[[1]]]", limits).ok());
  EXPECT_THAT(ErrorOf("[[[[1]]]]", limits), HasSubstr("more than 3 deep"));
  ErrorOf(std::string(1 << 20, '['));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  ErrorOf(objects);
}

TEST(JsonValue, TheTreeIsBounded) {
  JsonLimits limits;
  limits.max_values = 4;
  EXPECT_TRUE(ParseJson("[1,2,3]", limits).ok());
  EXPECT_THAT(ErrorOf("[1,2,3,4]", limits), HasSubstr("more than 4 values"));
  limits.max_text_bytes = 5;
  EXPECT_TRUE(ParseJson("\"12345\"", limits).ok());
  EXPECT_THAT(ErrorOf("\"123456\"", limits), HasSubstr("bytes of text"));
  EXPECT_THAT(ErrorOf("{\"123456\":1}", limits), HasSubstr("bytes of text"));
}

TEST(JsonValue, SpansAreCheckedButNotKept) {
  JsonLimits limits;
  limits.max_values = 5;
  const std::string text = R"({"x":{"data":[[1, null],[{"a":2}]]},"data":[1]})";
  const auto value = ParseJson(
      text, limits, [](int depth, absl::string_view name) { return depth == 2 && name == "data"; });
  ASSERT_TRUE(value.ok()) << value.status();
  const JsonValue& x = *value->Find("x").value();
  EXPECT_EQ((*x.Find("data"))->span, R"([[1, null],[{"a":2}]])");
  EXPECT_EQ((*value->Find("data"))->kind, JsonValue::Kind::kArray);
  EXPECT_FALSE(ParseJson("{\"data\":[1,}", {}, [](int, absl::string_view) { return true; }).ok());
  EXPECT_FALSE(
      ParseJson(absl::StrCat("{\"data\":", std::string(100, '[')), {}, [](int, absl::string_view) {
        return true;
      }).ok());
}

TEST(JsonValue, ATwiceGivenMemberIsAnErrorWhereItIsLookedFor) {
  const auto value = ParseJson(R"({"a":1,"b":2,"a":3})");
  ASSERT_TRUE(value.ok());
  EXPECT_TRUE(value->Find("b").ok());
  EXPECT_THAT(std::string(value->Find("a").status().message()), HasSubstr("'a' is given twice"));
}

}  // namespace
}  // namespace inferd
