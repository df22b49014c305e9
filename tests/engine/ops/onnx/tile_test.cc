#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

const Tensor kX = Values<float>({2}, {1, 2});

TEST(Tile, RefusesRepeatsOfAnotherTypeOrRank) {
  const auto tile = [](const Tensor& x, const Tensor& repeats) {
    return OpCase{.op = "Tile", .inputs = {x, repeats}, .outputs = {x}};
  };
  ExpectOpError(tile(kX, Values<float>({1}, {2})), "float32");
  ExpectOpError(tile(Values<float>({}, {1}), Values<int64_t>({1}, {2})), "repeats has shape [1]");
}

}  // namespace
}  // namespace inferd::testing
