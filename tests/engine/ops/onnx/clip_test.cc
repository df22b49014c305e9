#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

const Tensor kX = Values<float>({2}, {1, 2});

TEST(Clip, RefusesBoundsOfAnotherTypeOrSize) {
  ExpectOpError({.op = "Clip", .inputs = {kX, Values<int64_t>({}, {2})}, .outputs = {kX}}, "int64");
  ExpectOpError({.op = "Clip", .inputs = {kX, std::nullopt, kX}, .outputs = {kX}},
                "bound max has shape [2]");
}

}  // namespace
}  // namespace inferd::testing
