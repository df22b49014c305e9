#include "engine/ops/tuple_index.h"

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase GatherNd(const Tensor& data, const Tensor& indices, const Tensor& expected,
                int64_t batch_dims = 0) {
  return {.op = "GatherND",
          .inputs = {data, indices},
          .outputs = {expected},
          .attributes = MakeAttributes({{"batch_dims", batch_dims}})};
}

TEST(TupleIndex, GathersElementsBlocksAndBatches) {
  const Tensor data = Values<int32_t>({2, 2}, {0, 1, 2, 3});
  CheckOpCases(
      {GatherNd(data, Values<int64_t>({2, 2}, {0, 0, -1, 1}), Values<int32_t>({2}, {0, 3})),
       GatherNd(data, Values<int64_t>({2, 1}, {1, 0}), Values<int32_t>({2, 2}, {2, 3, 0, 1})),
       GatherNd(data, Values<int64_t>({2, 1}, {1, 0}), Values<int32_t>({2}, {1, 2}), 1),
       GatherNd(data, Values<int64_t>({0, 2}, {}), Values<int32_t>({0}, {}))});
}

TEST(TupleIndex, NamesAnIndexOutOfRange) {
  const Tensor data = Values<int32_t>({2, 2}, {0, 1, 2, 3});
  ExpectOpError(GatherNd(data, Values<int64_t>({1, 2}, {0, 2}), Values<int32_t>({1}, {0})),
                "index 2 at tuple 0, place 1 is outside [-2,1]");
  ExpectOpError(GatherNd(data, Values<int64_t>({1, 2}, {INT64_MIN, 0}), Values<int32_t>({1}, {0})),
                "is outside");
  ExpectOpError({.op = "ScatterND",
                 .inputs = {data, Values<int64_t>({1, 2}, {2, 0}), Values<int32_t>({1}, {9})},
                 .outputs = {data}},
                "index 2");
}

TEST(TupleIndex, RefusesTuplesLongerThanTheRank) {
  ExpectOpError(GatherNd(Values<int32_t>({2}, {0, 1}), Values<int64_t>({1, 2}, {0, 0}),
                         Values<int32_t>({1}, {0})),
                "do not fit data of rank 1");
}

}  // namespace
}  // namespace inferd::testing
