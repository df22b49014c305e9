#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

Tensor Integers(const std::vector<int64_t>& values) {
  return Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values);
}

TEST(RepeatKernels, ExpandFromEveryPattern) {
  for (const Shape& shape :
       std::vector<Shape>{{1, 1, 1}, {3, 1, 7}, {1, 5, 1}, {7}, {5, 1}, {}, {3, 5, 7}}) {
    ExpectAgrees({.op = "Expand",
                  .inputs = {Activation(RandomFloats(shape)), Constant(Integers({3, 5, 7}))}},
                 0, 0);
  }
  ExpectAgrees({.op = "Expand",
                .inputs = {Activation(RandomInt64s({4, 1}, 0, 9)), Constant(Integers({1, 3}))}});
  ExpectAgrees(
      {.op = "Expand", .inputs = {Activation(RandomFloats({1, 3})), Constant(Integers({0, 3}))}});
}

TEST(RepeatKernels, TileEveryAxis) {
  for (const std::vector<int64_t>& repeats : std::vector<std::vector<int64_t>>{
           {1, 1, 1}, {2, 1, 1}, {1, 3, 1}, {1, 1, 4}, {2, 3, 4}, {2, 0, 1}}) {
    ExpectAgrees({.op = "Tile",
                  .inputs = {Activation(RandomFloats({2, 3, 5})), Constant(Integers(repeats))}},
                 0, 0);
  }
  ExpectAgrees(
      {.op = "Tile", .inputs = {Activation(RandomFloats({2, 0})), Constant(Integers({2, 2}))}});
}

}  // namespace
}  // namespace inferd::cpu
