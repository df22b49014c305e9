#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Texts = std::vector<std::string>;

OpCase Tokenize(Tensor x, Tensor y, std::string name, Attributes::Value value, bool mark = false,
                int64_t min_characters = 1) {
  return {.op = "Tokenizer",
          .inputs = {std::move(x)},
          .outputs = {std::move(y)},
          .attributes = MakeAttributes({{"mark", int64_t{mark}},
                                        {"mincharnum", min_characters},
                                        {"pad_value", std::string("#")},
                                        {name, std::move(value)}}),
          .domain = "com.microsoft"};
}

TEST(Tokenizer, CutsAtSeparatorsInTheirOrder) {
  CheckOpCases(
      {Tokenize(Values<std::string>({2}, {"ab  c", "d"}),
                Values<std::string>({2, 2}, {"ab", "c", "d", "#"}), "separators", Texts{" "}),
       Tokenize(Values<std::string>({1, 1}, {"a;b,cc"}),
                Values<std::string>({1, 1, 3}, {"a", "b", "cc"}), "separators",
                Texts{"[;x]+", ","}),
       Tokenize(Values<std::string>({1}, {"a;b,cc"}), Values<std::string>({1, 1}, {"cc"}),
                "separators", Texts{";", ","}, false, 2)});
}

TEST(Tokenizer, FindsTokensByExpression) {
  CheckOpCases(
      {Tokenize(Values<std::string>({1}, {"it's 42, ok"}),
                Values<std::string>({1, 3}, {"it", "s", "ok"}), "tokenexp", std::string("[a-z]+")),
       Tokenize(Values<std::string>({1}, {"aäb"}), Values<std::string>({1, 3}, {"a", "ä", "b"}),
                "tokenexp", std::string(".")),
       Tokenize(Values<std::string>({1}, {"abc"}), Values<std::string>({1, 0}, {}), "tokenexp",
                std::string("x*"))});
}

TEST(Tokenizer, TakesCharactersWhereTheSeparatorIsEmpty) {
  CheckOpCase(
      Tokenize(Values<std::string>({2}, {"a€", "b"}),
               Values<std::string>({2, 4}, {"\x02", "a", "€", "\x03", "\x02", "b", "\x03", "#"}),
               "separators", Texts{""}, true));
}

TEST(Tokenizer, WithoutTokensThereAreNoMarksEither) {
  CheckOpCase(Tokenize(Values<std::string>({2}, {" ", ""}), Values<std::string>({2, 0}, {}),
                       "separators", Texts{" "}, true));
}

TEST(Tokenizer, RefusesBadRulesAndBytes) {
  const Tensor x = Values<std::string>({1}, {"a"});
  ExpectOpError(Tokenize(x, x, "separators", Texts{"("}), "separator \"(\"");
  ExpectOpError(Tokenize(x, x, "tokenexp", std::string()), "missing");
  ExpectOpError(Tokenize(x, x, "separators", Texts{""}, false, 2), "mincharnum");
  ExpectOpError(Tokenize(x, x, "separators", Texts{" "}, false, 0), "mincharnum");
  ExpectOpError(Tokenize(Values<std::string>({}, {"a"}), x, "separators", Texts{" "}), "[C]");
  ExpectOpError(Tokenize(Values<std::string>({1}, {"\xFF"}), x, "separators", Texts{" "}), "UTF-8");
  ExpectOpError(Tokenize(Values<std::string>({1}, {"ä"}), x, "tokenexp", std::string("\\C")),
                "UTF-8");
}

}  // namespace
}  // namespace inferd::testing
