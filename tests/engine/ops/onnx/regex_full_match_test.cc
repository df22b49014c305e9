#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Match(Tensor x, Tensor y, std::string pattern) {
  return {.op = "RegexFullMatch",
          .inputs = {std::move(x)},
          .outputs = {std::move(y)},
          .attributes = MakeAttributes({{"pattern", pattern}})};
}

TEST(RegexFullMatch, MatchesTheWholeText) {
  CheckOpCases(
      {Match(Values<std::string>({3}, {"www.a.com", "a.com", "www.a.com "}),
             Values<bool>({3}, {true, false, false}), R"(www\.[\w.-]+\.com)"),
       Match(Values<std::string>({2, 1}, {"", "ä"}), Values<bool>({2, 1}, {false, true}), "."),
       Match(Values<std::string>({0}, {}), Values<bool>({0}, {}), "")});
}

TEST(RegexFullMatch, RefusesPatternsOfOtherSyntax) {
  const Tensor x = Values<std::string>({1}, {"a"});
  ExpectOpError(Match(x, Values<bool>({1}, {true}), "(?=a)"), "regular expression");
}

}  // namespace
}  // namespace inferd::testing
