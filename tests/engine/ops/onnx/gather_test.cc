#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Gather(const std::string& op, const Tensor& data, const Tensor& indices, int64_t axis,
              const Tensor& expected) {
  return {.op = op,
          .inputs = {data, indices},
          .outputs = {expected},
          .attributes = MakeAttributes({{"axis", axis}})};
}

TEST(Gather, TakesRowsAndColumns) {
  const Tensor data = Values<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5});
  CheckOpCases({Gather("Gather", data, Values<int32_t>({2}, {1, -2}), 0,
                       Values<int32_t>({2, 3}, {3, 4, 5, 0, 1, 2})),
                Gather("Gather", data, Values<int64_t>({}, {2}), -1, Values<int32_t>({2}, {2, 5})),
                Gather("Gather", data, Values<int64_t>({1, 2}, {0, 2}), 1,
                       Values<int32_t>({2, 1, 2}, {0, 2, 3, 5})),
                Gather("Gather", Values<std::string>({2}, {"a", "b"}), Values<int64_t>({1}, {1}), 0,
                       Values<std::string>({1}, {"b"})),
                Gather("Gather", data, Values<int64_t>({0}, {}), 0, Values<int32_t>({0, 3}, {})),
                Gather("GatherElements", data, Values<int64_t>({1, 3}, {1, 0, -1}), 0,
                       Values<int32_t>({1, 3}, {3, 1, 5}))});
}

TEST(Gather, NamesAnIndexOutOfRange) {
  const Tensor data = Values<int32_t>({2, 3}, {0, 1, 2, 3, 4, 5});
  for (const char* op : {"Gather", "GatherElements"}) {
    ExpectOpError(Gather(op, data, Values<int64_t>({1, 2}, {0, 2}), 0, data),
                  "index 2 at position 1 is outside [-2,1]");
    ExpectOpError(Gather(op, data, Values<int64_t>({1, 1}, {INT64_MIN}), 0, data), "is outside");
  }
}

TEST(Gather, RefusesIndicesOfABiggerShape) {
  const Tensor data = Values<int32_t>({2, 1}, {0, 1});
  ExpectOpError(Gather("GatherElements", data, Values<int64_t>({1, 2}, {0, 0}), 0, data),
                "do not fit");
}

}  // namespace
}  // namespace inferd::testing
