#include <complex>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Scatter(Tensor data, Tensor updates, Tensor result, std::string reduction) {
  return {.op = "ScatterND",
          .inputs = {std::move(data), Values<int64_t>({2, 1}, {1, 1}), std::move(updates)},
          .outputs = {std::move(result)},
          .attributes = MakeAttributes({{"reduction", reduction}})};
}

TEST(ScatterND, ReducesComplexNumbersAndBools) {
  using Complex = std::complex<float>;
  const Tensor numbers = Values<Complex>({2}, {{1, 0}, {0, 1}});
  const Tensor updates = Values<Complex>({2}, {{0, 1}, {2, 0}});
  const Tensor bools = Values<bool>({2}, {false, true});
  const Tensor mixed = Values<bool>({2}, {true, false});
  CheckOpCases({Scatter(numbers, updates, Values<Complex>({2}, {{1, 0}, {2, 2}}), "add"),
                Scatter(numbers, updates, Values<Complex>({2}, {{1, 0}, {-2, 0}}), "mul"),
                Scatter(bools, mixed, Values<bool>({2}, {false, true}), "max"),
                Scatter(bools, mixed, Values<bool>({2}, {false, false}), "mul")});
  ExpectOpError(Scatter(numbers, updates, numbers, "max"), "no largest");
  const Tensor texts = Values<std::string>({2}, {"a", "b"});
  ExpectOpError(Scatter(texts, texts, texts, "add"), "string");
  CheckOpCase(Scatter(texts, texts, Values<std::string>({2}, {"a", "b"}), "none"));
}

}  // namespace
}  // namespace inferd::testing
