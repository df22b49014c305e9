#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Dropout, PassesEverythingWhenServing) {
  const Tensor x = Values<float>({2}, {1, 2});
  CheckOpCase({.op = "Dropout",
               .inputs = {x, Values<float>({}, {0.5f})},
               .outputs = {x, Values<bool>({2}, {true, true})}});
  ExpectOpError({.op = "Dropout",
                 .inputs = {x, Values<float>({}, {0.5f}), Values<bool>({}, {true})},
                 .outputs = {x}},
                "only inference");
}

}  // namespace
}  // namespace inferd::testing
