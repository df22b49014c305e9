#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Inverse, InvertsEveryMatrixOfAStack) {
  for (DType dtype : {DType::kFloat32, DType::kFloat64, DType::kFloat16}) {
    // The first needs its rows exchanged.
    CheckOpCase({.op = "Inverse",
                 .inputs = {ValuesAs(dtype, {2, 2, 2}, {0, 2, 4, 0, 1, 1, 1, 2})},
                 .outputs = {ValuesAs(dtype, {2, 2, 2}, {0, 0.25, 0.5, 0, 2, -1, -1, 1})},
                 .domain = "com.microsoft"});
  }
}

TEST(Inverse, RefusesSingularAndOblongMatrices) {
  const Tensor singular = Values<float>({1, 2, 2}, {1, 2, 2, 4});
  ExpectOpError(
      {.op = "Inverse", .inputs = {singular}, .outputs = {singular}, .domain = "com.microsoft"},
      "matrix 0 is singular");
  const Tensor oblong = Values<float>({1, 2}, {1, 2});
  ExpectOpError(
      {.op = "Inverse", .inputs = {oblong}, .outputs = {oblong}, .domain = "com.microsoft"},
      "square");
}

}  // namespace
}  // namespace inferd::testing
