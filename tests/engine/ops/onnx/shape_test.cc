#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

TEST(Shape, GivesSelectedDimensions) {
  const Tensor x = Tensor::Allocate(DType::kInt4, {2, 0, 3}).value();
  const auto part = [](int64_t start, int64_t end) {
    return MakeAttributes({{"start", start}, {"end", end}});
  };
  CheckOpCases({{.op = "Shape", .inputs = {x}, .outputs = {Values<int64_t>({3}, {2, 0, 3})}},
                {.op = "Shape",
                 .inputs = {x},
                 .outputs = {Values<int64_t>({1}, {0})},
                 .attributes = part(-2, -1)},
                {.op = "Shape",
                 .inputs = {x},
                 .outputs = {Values<int64_t>({0}, {})},
                 .attributes = part(2, -9)},
                {.op = "Size", .inputs = {x}, .outputs = {Values<int64_t>({}, {0})}}});
}

}  // namespace
}  // namespace inferd::testing
