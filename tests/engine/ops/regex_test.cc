#include "engine/ops/regex.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(Regex, SaysWhatIsWrongWithAPattern) {
  EXPECT_TRUE(Regex::Compile("[a-z]+", "pattern").ok());
  const absl::Status status = Regex::Compile("a(", "tokenexp").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("tokenexp \"a(\""), absl::string_view::npos) << status;
}

TEST(Regex, FindsMatchesWithWhatPrecedesThem) {
  const Regex word = Regex::Compile("\\bb*", "pattern").value();
  const absl::string_view text = "abb bb";
  EXPECT_EQ(word.Find(text, 1), "");
  EXPECT_EQ(word.Find(text, 4), "bb");
  EXPECT_EQ(Regex::Compile("x", "pattern")->Find(text, 0).data(), nullptr);
  EXPECT_TRUE(Regex::Compile("[a-c ]+", "pattern")->MatchesAll(text));
  EXPECT_FALSE(Regex::Compile("[a-c]+", "pattern")->MatchesAll(text));
}

TEST(Regex, RefusesPatternsThatCompileToTooMuch) {
  EXPECT_FALSE(Regex::Compile("((a{900}){900}){900}", "pattern").ok());
}

}  // namespace
}  // namespace inferd
