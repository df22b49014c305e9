#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Split(Tensor text, Tensor pieces, Tensor counts, Attributes attributes) {
  return {.op = "StringSplit",
          .inputs = {std::move(text)},
          .outputs = {std::move(pieces), std::move(counts)},
          .attributes = std::move(attributes)};
}

Attributes At(std::string delimiter) { return MakeAttributes({{"delimiter", delimiter}}); }

TEST(StringSplit, CutsAtADelimiter) {
  CheckOpCases(
      {Split(Values<std::string>({2}, {"a,b", "c"}),
             Values<std::string>({2, 2}, {"a", "b", "c", ""}), Values<int64_t>({2}, {2, 1}),
             At(",")),
       Split(Values<std::string>({2}, {",,", ""}),
             Values<std::string>({2, 3}, {"", "", "", "", "", ""}), Values<int64_t>({2}, {3, 1}),
             At(",")),
       Split(Values<std::string>({1}, {"aXXbXXc"}), Values<std::string>({1, 2}, {"a", "bXXc"}),
             Values<int64_t>({1}, {2}),
             MakeAttributes({{"delimiter", std::string("XX")}, {"maxsplit", int64_t{1}}}))});
}

TEST(StringSplit, CutsAtWhiteSpaceAsPythonDoes) {
  CheckOpCases(
      {Split(Values<std::string>({2}, {"  a \t b\u00A0c ", "   "}),
             Values<std::string>({2, 3}, {"a", "b", "c", "", "", ""}), Values<int64_t>({2}, {3, 0}),
             {}),
       Split(Values<std::string>({1}, {" a  b c "}), Values<std::string>({1, 2}, {"a", "b c "}),
             Values<int64_t>({1}, {2}), MakeAttributes({{"maxsplit", int64_t{1}}})),
       Split(Values<std::string>({1}, {"\xFF \xFE"}), Values<std::string>({1, 2}, {"\xFF", "\xFE"}),
             Values<int64_t>({1}, {2}), {})});
}

TEST(StringSplit, KeepsTheInputsShape) {
  CheckOpCases({Split(Values<std::string>({1, 2}, {"a b", "c"}),
                      Values<std::string>({1, 2, 2}, {"a", "b", "c", ""}),
                      Values<int64_t>({1, 2}, {2, 1}), {}),
                Split(Values<std::string>({0}, {}), Values<std::string>({0, 0}, {}),
                      Values<int64_t>({0}, {}), {})});
}

}  // namespace
}  // namespace inferd::testing
