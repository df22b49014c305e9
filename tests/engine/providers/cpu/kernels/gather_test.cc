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

// As the embeddings of a language model: summed, normalized, and what follows.
TEST(GatherKernels, SumAndNormalizeTheRowsThatTheyGather) {
  for (const char* norm : {"LayerNormalization", "RMSNormalization"}) {
    for (const int64_t columns : {1, 7, 48, 1030}) {
      for (const int threads : {1, 3}) {
        KernelCase test =
            Case(RandomFloats({11, columns}), RandomInt64s({3, 50}, -11, 11), /*axis=*/0);
        test.threads = threads;
        test.epilogue = {{"Add", {}, RandomFloats({3, 50, columns}, -2, 2, 2)},
                         {"Add", {}, RandomFloats({50, columns}, -2, 2, 3)},
                         {norm, {}, RandomFloats({columns}, 0.5, 2, 4)},
                         {"Add", {}, RandomFloats({columns}, -1, 1, 5)},
                         {"Relu", {}}};
        test.epilogue[2].attributes.Set("epsilon", 1e-3f);
        ExpectAgrees(test, 1e-4, 1e-4);
      }
    }
  }
}

TEST(GatherKernels, NormalizeEveryRowOfASlice) {
  KernelCase test = Case(RandomFloats({2, 5, 3, 17}), RandomInt64s({4}, -5, 5), /*axis=*/1);
  test.epilogue = {{"LayerNormalization", {}, RandomFloats({17}, 0.5, 2, 4)}};
  ExpectAgrees(test, 1e-4, 1e-5);
  // Columns that are gathered one by one are no row yet.
  test.attributes.Set("axis", int64_t{3});
  test.epilogue[0].operand = RandomFloats({4});
  EXPECT_FALSE(HasKernel(test));
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
