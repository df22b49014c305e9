#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Written(const Tensor& cache, const Tensor& update, std::optional<Tensor> indices,
               const Tensor& y, const char* mode = "linear", int64_t axis = 1) {
  return {.name = "TensorScatter",
          .op = "TensorScatter",
          .inputs = {cache, update, std::move(indices)},
          .outputs = {y},
          .attributes = MakeAttributes({{"mode", std::string(mode)}, {"axis", axis}})};
}

const Tensor Cache() { return Values<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6}); }
const Tensor Update() { return Values<int32_t>({2, 2}, {10, 20, 30, 40}); }
const Tensor At(int64_t a, int64_t b) { return Values<int64_t>({2}, {a, b}); }

TEST(TensorScatter, WritesEachSampleAtItsIndex) {
  CheckOpCases(
      {Written(Cache(), Update(), {}, Values<int32_t>({2, 3}, {10, 20, 3, 30, 40, 6})),
       Written(Cache(), Update(), At(1, 0), Values<int32_t>({2, 3}, {1, 10, 20, 30, 40, 6})),
       Written(Values<std::string>({1, 2, 1}, {"a", "b"}), Values<std::string>({1, 1, 1}, {"c"}),
               Values<int64_t>({1}, {1}), Values<std::string>({1, 2, 1}, {"a", "c"}), "linear",
               -2)});
}

TEST(TensorScatter, WrapsAroundInCircularMode) {
  CheckOpCase(Written(Cache(), Update(), At(2, 4), Values<int32_t>({2, 3}, {20, 2, 10, 4, 30, 40}),
                      "circular"));
}

TEST(TensorScatter, RefusesWritesOutsideTheCache) {
  ExpectOpError(Written(Cache(), Update(), At(2, 0), Cache()), "write_indices has 2");
  ExpectOpError(Written(Cache(), Update(), At(-1, 0), Cache()), "write_indices has -1");
  ExpectOpError(Written(Cache(), Update(), At(0, INT64_MAX), Cache()), "write_indices has");
  ExpectOpError(Written(Cache(), Values<int32_t>({2, 4}, {1, 1, 1, 1, 1, 1, 1, 1}), {}, Cache()),
                "does not fit");
  ExpectOpError(Written(Cache(), Update(), {}, Cache(), "ring"), "mode is \"ring\"");
  ExpectOpError(Written(Cache(), Update(), {}, Cache(), "linear", 0), "axis is 0");
}

}  // namespace
}  // namespace inferd::testing
