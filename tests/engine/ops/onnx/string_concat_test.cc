#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(StringConcat, JoinsWithBroadcasting) {
  CheckOpCases(
      {{.name = "equal shapes",
        .op = "StringConcat",
        .inputs = {Values<std::string>({2}, {"a", ""}), Values<std::string>({2}, {"b", "c"})},
        .outputs = {Values<std::string>({2}, {"ab", "c"})}},
       {.name = "broadcast both ways",
        .op = "StringConcat",
        .inputs = {Values<std::string>({2, 1}, {"a", "b"}), Values<std::string>({2}, {"x", "y"})},
        .outputs = {Values<std::string>({2, 2}, {"ax", "ay", "bx", "by"})}},
       {.name = "nothing",
        .op = "StringConcat",
        .inputs = {Values<std::string>({0}, {}), Values<std::string>({1}, {"x"})},
        .outputs = {Values<std::string>({0}, {})}}});
}

TEST(StringConcat, RefusesNumbersAndTextsBeyondTheLimit) {
  const Tensor text = Values<std::string>({1}, {"a"});
  ExpectOpError(
      {.op = "StringConcat", .inputs = {text, Values<float>({1}, {1})}, .outputs = {text}},
      "expected string");
  const Tensor many = Tensor::Allocate(DType::kString, {1 << 20}).value();
  const Tensor large = Values<std::string>({1}, {std::string(1 << 14, 'x')});
  ExpectOpError({.op = "StringConcat", .inputs = {many, large}, .outputs = {many}}, "limit");
}

}  // namespace
}  // namespace inferd::testing
