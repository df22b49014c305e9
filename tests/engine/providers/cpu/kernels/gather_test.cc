#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

using ::testing::HasSubstr;

KernelCase Case(Tensor data, Tensor indices, int64_t axis) {
  KernelCase test{.op = "Gather",
                  .inputs = {Activation(std::move(data)), Activation(std::move(indices))}};
  test.attributes.Set("axis", axis);
  return test;
}

TEST(GatherKernels, EveryAxisWithNegativeIndices) {
  for (int64_t axis = -3; axis < 3; ++axis) {
    ExpectAgrees(Case(RandomFloats({4, 4, 4}), RandomInt64s({2, 3}, -4, 4), axis), 0, 0);
    ExpectAgrees(Case(RandomInt64s({4, 4, 4}, 0, 99), RandomInt64s({}, -4, 4), axis));
  }
  ExpectAgrees(Case(RandomFloats({5, 0}), Tensor::FromValues<int32_t>({2}, {4, -5}), 0));
  ExpectAgrees(Case(RandomFloats({5, 3}), Tensor::FromValues<int64_t>({0}, {}), 0));
}

TEST(GatherKernels, RefuseIndicesOutsideTheAxis) {
  for (const int64_t index : {int64_t{4}, int64_t{-5}, int64_t{1} << 62}) {
    const auto outcome =
        RunCase(Case(RandomFloats({4, 3}), Tensor::FromValues<int64_t>({3}, {0, index, 1}), 0));
    EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(outcome.status().message(),
                HasSubstr(absl::StrCat("index ", index, " at position 1 is outside [-4,3]")));
  }
}

}  // namespace
}  // namespace inferd::cpu
