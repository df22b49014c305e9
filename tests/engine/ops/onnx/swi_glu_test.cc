#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Gated(const Tensor& a, const Tensor& b, const Tensor& y, float alpha = 1) {
  return {.name = "SwiGLU",
          .op = "SwiGLU",
          .inputs = {a, b},
          .outputs = {y},
          .attributes = MakeAttributes({{"alpha", alpha}}),
          .relative_tolerance = 1e-3};
}

TEST(SwiGlu, GatesOneInputByTheOther) {
  CheckOpCases({Gated(Values<float>({2}, {0, 1}), Values<float>({2}, {3, 2}),
                      Values<float>({2}, {0, 1.4621172f})),
                Gated(Values<double>({1}, {1}), Values<double>({1}, {2}),
                      Values<double>({1}, {1.7615942}), 2),
                Gated(ValuesAs(DType::kFloat16, {1}, {-1}), ValuesAs(DType::kFloat16, {1}, {1}),
                      ValuesAs(DType::kFloat16, {1}, {-0.26894142}))});
}

TEST(SwiGlu, TakesInputsOfOneShapeAlone) {
  const Tensor x = Values<float>({2}, {0, 1});
  ExpectOpError(Gated(x, Values<float>({1}, {1}), x), "expected one shape");
  ExpectOpError(Gated(x, Values<double>({2}, {1, 1}), x), "element type");
}

}  // namespace
}  // namespace inferd::testing
