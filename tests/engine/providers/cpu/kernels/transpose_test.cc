#include <algorithm>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

TEST(TransposeKernels, EveryPermutationOfFourAxes) {
  for (const Shape& shape : std::vector<Shape>{{2, 3, 4, 5}, {3, 17, 33, 9}, {2, 70, 1, 19}}) {
    std::vector<int64_t> perm = {0, 1, 2, 3};
    do {
      KernelCase test{.op = "Transpose", .inputs = {Activation(RandomFloats(shape))}};
      test.attributes.Set("perm", perm);
      ExpectAgrees(test, 0, 0);
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

TEST(TransposeKernels, ReversesTheAxesWithoutPerm) {
  ExpectAgrees({.op = "Transpose", .inputs = {Activation(RandomFloats({3, 5, 7}))}}, 0, 0);
  ExpectAgrees({.op = "Transpose", .inputs = {Activation(RandomFloats({}))}}, 0, 0);
  ExpectAgrees({.op = "Transpose", .inputs = {Activation(RandomFloats({4, 0}))}}, 0, 0);
}

TEST(TransposeKernels, ThreePlanesOfTwoBytesToPixels) {
  for (const int64_t pixels : {1, 7, 8, 31, 32, 33, 64, 100, 1000}) {
    Tensor planes = Tensor::Allocate(DType::kInt16, {2, 3, pixels}).value();
    for (int64_t i = 0; i < planes.num_elements(); ++i) {
      planes.mutable_data<int16_t>()[i] = static_cast<int16_t>(i);
    }
    KernelCase test{.op = "Transpose", .inputs = {Activation(planes)}};
    test.attributes.Set("perm", std::vector<int64_t>{0, 2, 1});
    ExpectAgrees(test);
  }
}

TEST(TransposeKernels, EveryElementSize) {
  const Tensor source = RandomInt64s({5, 37, 50}, 0, 250);
  for (const DType dtype : {DType::kUint8, DType::kInt16, DType::kInt64, DType::kComplex128}) {
    // The bytes are what matters, so any will do.
    Tensor bytes = Tensor::Allocate(dtype, {3, 21, 35}).value();
    for (int64_t i = 0; i < bytes.byte_size(); ++i) {
      bytes.mutable_data<uint8_t>()[i] =
          static_cast<uint8_t>(source.data<int64_t>()[i % source.num_elements()]);
    }
    KernelCase test{.op = "Transpose", .inputs = {Activation(bytes)}};
    test.attributes.Set("perm", std::vector<int64_t>{0, 2, 1});
    ExpectAgrees(test);
  }
}

TEST(TransposeKernels, ReorderBothWaysForEveryRank) {
  for (const Shape& shape :
       std::vector<Shape>{{2, 19, 7}, {1, 64, 7, 7}, {2, 3, 20, 31}, {2, 5, 3, 4, 6}}) {
    KernelCase test{.op = "Reorder",
                    .inputs = {Activation(RandomFloats(shape))},
                    .domain = "inferd",
                    .output_layout = Layout::kChannelsLast};
    ExpectAgrees(test, 0, 0);
    test.threads = 2;
    std::swap(test.inputs[0].layout, test.output_layout);
    ExpectAgrees(test, 0, 0);
  }
}

}  // namespace
}  // namespace inferd::cpu
