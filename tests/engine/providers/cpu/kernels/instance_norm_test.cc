#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

KernelCase Case(const char* op, const Shape& shape) {
  const int64_t channels = shape[1];
  return {.op = op,
          .inputs = {Activation(RandomFloats(shape, -1, 3)),
                     Activation(RandomFloats({channels}, 0.5, 2, 2)),
                     Activation(RandomFloats({channels}, -1, 1, 3))}};
}

TEST(InstanceNormKernels, EveryImageAndChannelHasItsOwnStatistics) {
  for (const Shape& shape :
       std::vector<Shape>{{2, 3, 7}, {1, 5, 13, 11}, {3, 1, 2, 3, 4}, {2, 4, 1}, {0, 3, 5}}) {
    ExpectAgrees(Case("InstanceNormalization", shape), 1e-4, 1e-5);
  }
}

TEST(InstanceNormKernels, GroupsOfChannels) {
  for (const int64_t groups : {1, 2, 3, 6}) {
    KernelCase test = Case("GroupNormalization", {2, 6, 9, 5});
    test.attributes.Set("num_groups", groups);
    test.threads = 2;
    ExpectAgrees(test, 1e-4, 1e-5);
    test.in_place_input = 0;
    ExpectAgrees(test, 1e-4, 1e-5);
  }
}

}  // namespace
}  // namespace inferd::cpu
