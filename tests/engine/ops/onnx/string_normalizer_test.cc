#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Normalize(Tensor x, Tensor y, std::string action, bool case_sensitive) {
  return {.op = "StringNormalizer",
          .inputs = {std::move(x)},
          .outputs = {std::move(y)},
          .attributes = MakeAttributes({{"case_change_action", action},
                                        {"is_case_sensitive", int64_t{case_sensitive}},
                                        {"stopwords", std::vector<std::string>{"the", "ÄRGER"}}})};
}

TEST(StringNormalizer, DropsStopWordsAndChangesCase) {
  const Tensor x = Values<std::string>({4}, {"The", "Ärger", "Hut", "the"});
  CheckOpCases({Normalize(x, Values<std::string>({1}, {"hut"}), "LOWER", false),
                Normalize(x, Values<std::string>({1}, {"Hut"}), "NONE", false),
                Normalize(x, Values<std::string>({3}, {"THE", "ÄRGER", "HUT"}), "UPPER", true),
                Normalize(Values<std::string>({1, 2}, {"the", "a"}),
                          Values<std::string>({1, 1}, {"A"}), "UPPER", true)});
}

TEST(StringNormalizer, LeavesOneEmptyTextWhereNothingIsLeft) {
  CheckOpCases(
      {Normalize(Values<std::string>({1}, {"the"}), Values<std::string>({1}, {""}), "NONE", true),
       Normalize(Values<std::string>({1, 1}, {"the"}), Values<std::string>({1, 1}, {""}), "NONE",
                 true)});
}

TEST(StringNormalizer, RefusesOtherShapesActionsAndBytes) {
  const Tensor text = Values<std::string>({1}, {"a"});
  const Tensor matrix = Values<std::string>({2, 1}, {"a", "b"});
  ExpectOpError(Normalize(matrix, text, "LOWER", true), "[1,C]");
  ExpectOpError(Normalize(text, text, "lower", true), "case_change_action");
  ExpectOpError(Normalize(Values<std::string>({1}, {"\xFF"}), text, "LOWER", true), "UTF-8");
}

}  // namespace
}  // namespace inferd::testing
