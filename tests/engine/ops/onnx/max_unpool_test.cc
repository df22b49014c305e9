#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Ints = std::vector<int64_t>;

OpCase Unpooled(const Tensor& x, std::initializer_list<int64_t> indices,
                std::optional<Tensor> output_shape, const Tensor& y) {
  Tensor places = Tensor::Allocate(DType::kInt64, x.shape()).value();
  std::copy(indices.begin(), indices.end(), places.mutable_data<int64_t>());
  return {.name = "MaxUnpool",
          .op = "MaxUnpool",
          .inputs = {x, places, std::move(output_shape)},
          .outputs = {y},
          .attributes = MakeAttributes({{"kernel_shape", Ints{2}}, {"strides", Ints{2}}})};
}

const Tensor Pooled() { return Values<float>({1, 2, 2}, {5, 6, 7, 8}); }

TEST(MaxUnpool, PutsElementsBackWhereTheyCameFrom) {
  CheckOpCase(
      Unpooled(Pooled(), {1, 2, 4, 7}, {}, Values<float>({1, 2, 4}, {0, 5, 6, 0, 7, 0, 0, 8})));
}

TEST(MaxUnpool, LeavesRoomBehindForALargerOutput) {
  CheckOpCase(Unpooled(Pooled(), {1, 2, 4, 7}, Values<int64_t>({3}, {1, 2, 5}),
                       Values<float>({1, 2, 5}, {0, 5, 6, 0, 0, 7, 0, 0, 8, 0})));
}

TEST(MaxUnpool, RefusesPlacesOutsideTheOutput) {
  ExpectOpError(Unpooled(Pooled(), {1, 2, 4, 8}, {}, Pooled()), "I has 8");
  ExpectOpError(Unpooled(Pooled(), {-1, 2, 4, 7}, {}, Pooled()), "I has -1");
  ExpectOpError(Unpooled(Pooled(), {1, 2, 4, 7}, Values<int64_t>({3}, {1, 2, 3}), Pooled()),
                "expected at least [1,2,4]");
  ExpectOpError(Unpooled(Values<float>({1, 1, 1, 1}, {1}), {0}, {}, Pooled()),
                "kernel_shape has 1 values");
}

}  // namespace
}  // namespace inferd::testing
