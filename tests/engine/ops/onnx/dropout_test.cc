#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Dropped(std::vector<std::optional<Tensor>> inputs,
               std::vector<std::optional<Tensor>> outputs) {
  return {.name = "Dropout",
          .op = "Dropout",
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes({{"seed", int64_t{0}}})};
}

const Tensor Training() { return Values<bool>({}, {true}); }

TEST(Dropout, PassesEverythingWhenServing) {
  const Tensor x = Values<float>({2}, {1, 2});
  CheckOpCase(Dropped({x, Values<float>({}, {0.5f})}, {x, Values<bool>({2}, {true, true})}));
  CheckOpCase(Dropped({x, Values<float>({}, {0}), Training()}, {x}));
}

TEST(Dropout, DropsBySeedAndScalesTheRestWhenTraining) {
  // The generator's first numbers are 0.55, 0.72, 0.60, 0.54, 0.42, 0.65.
  CheckOpCase(Dropped({Values<float>({6}, {1, 2, 3, 4, 5, 6}), std::nullopt, Training()},
                      {Values<float>({6}, {2, 4, 6, 8, 0, 12}),
                       Values<bool>({6}, {true, true, true, true, false, true})}));
  CheckOpCase(Dropped({ValuesAs(DType::kFloat8E5m2, {3}, {1, 2, 3}),
                       ValuesAs(DType::kFloat8E5m2, {}, {0.625}), Training()},
                      {ValuesAs(DType::kFloat8E5m2, {3}, {0, 5, 0})}));
}

TEST(Dropout, RefusesRatiosThatLeaveNothing) {
  const Tensor x = Values<float>({1}, {1});
  ExpectOpError(Dropped({x, Values<float>({}, {1}), Training()}, {x}), "ratio is 1");
  ExpectOpError(Dropped({x, Values<float>({2}, {0, 0}), Training()}, {x}), "expected a scalar");
  ExpectOpError(Dropped({x, std::nullopt, Values<float>({}, {1})}, {x}), "expected bool");
}

}  // namespace
}  // namespace inferd::testing
