#include "engine/ops/einsum_equation.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Einsum(const char* equation, std::vector<std::optional<Tensor>> inputs,
              const Tensor& expected) {
  return {.name = equation,
          .op = "Einsum",
          .inputs = std::move(inputs),
          .outputs = {expected},
          .attributes = MakeAttributes({{"equation", std::string(equation)}})};
}

TEST(EinsumEquation, MultipliesTransposesSumsAndTakesDiagonals) {
  const Tensor x = Values<float>({2, 2}, {1, 2, 3, 4});
  const Tensor v = Values<float>({2}, {1, 10});
  CheckOpCases({Einsum("ij,jk->ik", {x, x}, Values<float>({2, 2}, {7, 10, 15, 22})),
                Einsum("ij,j", {x, v}, Values<float>({2}, {21, 43})),
                Einsum("ij->ji", {x}, Values<float>({2, 2}, {1, 3, 2, 4})),
                Einsum("ij->", {x}, Values<float>({}, {10})),
                Einsum("ii->i", {x}, Values<float>({2}, {1, 4})),
                Einsum("...j,j->...", {x, v}, Values<float>({2}, {21, 43})),
                Einsum("i,j->ij", {v, v}, Values<float>({2, 2}, {1, 10, 10, 100}))});
}

TEST(EinsumEquation, RefusesMalformedEquations) {
  const Tensor x = Values<float>({2, 2}, {1, 2, 3, 4});
  for (const char* equation :
       {"i1->i", "ij->k", "ij->ii", "ijk->i", "ij,jk->ik", "ij->j->i", "......ij->i"}) {
    ExpectOpError(Einsum(equation, {x}, x), "equation");
  }
}

TEST(EinsumEquation, NamesTheDimensionThatDoesNotFit) {
  ExpectOpError(
      Einsum("ij,jk->ik", {Values<float>({1, 2}, {1, 2}), Values<float>({3, 1}, {1, 2, 3})},
             Values<float>({1, 1}, {0})),
      "dimension 0 of operand 1 is 3, expected 2");
}

}  // namespace
}  // namespace inferd::testing
