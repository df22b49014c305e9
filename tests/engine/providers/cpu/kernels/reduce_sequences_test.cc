#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const std::string& kind, Tensor tokens, int64_t axis,
                std::vector<int64_t> offsets) {
  KernelCase test{
      .op = "ReduceSequences",
      .inputs = {Activation(std::move(tokens)), Activation(Tensor::FromValues<int64_t>(
                                                    Shape({static_cast<int64_t>(offsets.size())}),
                                                    absl::Span<const int64_t>(offsets)))},
      .domain = "inferd"};
  test.attributes.Set("kind", kind);
  test.attributes.Set("axis", axis);
  return test;
}

TEST(ReduceSequencesKernel, AgreesWithThePortableOneForEveryKind) {
  for (const char* kind : {"first", "last", "sum", "mean", "max", "min"}) {
    for (const int64_t width : {1, 5, 64, 193}) {
      ExpectAgrees(Case(kind, RandomFloats({1, 40, width}), 1, {0, 3, 4, 4, 21, 37, 37, 37, 37}));
      ExpectAgrees(Case(kind, RandomFloats({7, width}), 0, {0, 7}));
    }
    ExpectAgrees(Case(kind, RandomFloats({1, 1, 4, 2, 3}), 2, {0, 1, 4}));
  }
}

TEST(ReduceSequencesKernel, GivesZerosWhereThereAreNoTokens) {
  for (const char* kind : {"first", "last", "sum", "mean", "max", "min"}) {
    ExpectAgrees(Case(kind, RandomFloats({1, 4, 8}), 1, {0, 0, 4, 4, 4}));
    ExpectAgrees(Case(kind, RandomFloats({1, 4, 8}), 1, {0, 0, 0}));
  }
}

}  // namespace
}  // namespace inferd::cpu
