#include "engine/ops/reduce.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

Tensor Axes(std::initializer_list<int64_t> axes) {
  return Values<int64_t>({static_cast<int64_t>(axes.size())}, axes);
}

OpCase Reduce(const std::string& op, const Tensor& x, std::optional<Tensor> axes,
              const Tensor& expected, int64_t keep_dims = 0) {
  return {.name = x.TypeString(),
          .op = op,
          .inputs = {x, std::move(axes)},
          .outputs = {expected},
          .attributes = MakeAttributes({{"keepdims", keep_dims}})};
}

TEST(Reduce, CalculatesEveryKind) {
  const Tensor x = Values<float>({2, 3}, {1, -2, 3, 4, 5, -6});
  const Tensor rows = Axes({1});
  const auto of = [](float a, float b) { return Values<float>({2}, {a, b}); };
  CheckOpCases({Reduce("ReduceSum", x, rows, of(2, 3)),
                Reduce("ReduceMean", x, rows, of(2.0f / 3, 1)),
                Reduce("ReduceMax", x, rows, of(3, 5)), Reduce("ReduceMin", x, rows, of(-2, -6)),
                Reduce("ReduceProd", x, rows, of(-6, -120)), Reduce("ReduceL1", x, rows, of(6, 15)),
                Reduce("ReduceL2", x, rows, of(std::sqrt(14.0f), std::sqrt(77.0f))),
                Reduce("ReduceSumSquare", x, rows, of(14, 77)),
                Reduce("ReduceLogSum", x, rows, of(std::log(2.0f), std::log(3.0f))),
                Reduce("ReduceLogSumExp", x, rows, of(3.1328707f, 5.3132755f))});
}

TEST(Reduce, TakesAxesInAnyOrderAndKeepsDims) {
  const Tensor x = Values<int32_t>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  CheckOpCases({Reduce("ReduceSum", x, Axes({-1, 0}), Values<int32_t>({1, 2, 1}, {14, 22}), 1),
                Reduce("ReduceSum", x, Axes({1}), Values<int32_t>({2, 2}, {4, 6, 12, 14})),
                Reduce("ReduceMax", x, std::nullopt, Values<int32_t>({}, {8})),
                Reduce("ReduceMin", x, Axes({}), Values<int32_t>({1, 1, 1}, {1}), 1)});
}

TEST(Reduce, LeavesEverythingWithEmptyAxesWhenAskedTo) {
  OpCase op_case =
      Reduce("ReduceSumSquare", Values<float>({2}, {2, 3}), Axes({}), Values<float>({2}, {4, 9}));
  op_case.attributes.Set("noop_with_empty_axes", int64_t{1});
  CheckOpCase(op_case);
}

TEST(Reduce, GivesTheIdentityForNoValues) {
  const Tensor x = Values<float>({2, 0}, {});
  const Tensor rows = Axes({1});
  const auto of = [](float a) { return Values<float>({2}, {a, a}); };
  CheckOpCases(
      {Reduce("ReduceSum", x, rows, of(0)), Reduce("ReduceProd", x, rows, of(1)),
       Reduce("ReduceMax", x, rows, of(-INFINITY)), Reduce("ReduceMin", x, rows, of(INFINITY)),
       Reduce("ReduceLogSumExp", x, rows, of(-INFINITY)),
       Reduce("ReduceMax", Values<uint8_t>({0}, {}), Axes({0}), Values<uint8_t>({}, {0})),
       Reduce("ReduceMax", Values<bool>({2, 0}, {}), rows, Values<bool>({2}, {false, false}))});
}

TEST(Reduce, ComparesBools) {
  CheckOpCases(
      {Reduce("ReduceMax", Values<bool>({2}, {false, true}), Axes({0}), Values<bool>({}, {true})),
       Reduce("ReduceMin", Values<bool>({2}, {false, true}), Axes({0}),
              Values<bool>({}, {false}))});
}

TEST(Reduce, DoesNotOverflowInLogSumExp) {
  CheckOpCase(Reduce("ReduceLogSumExp", Values<float>({2}, {1000, 1000}), Axes({0}),
                     Values<float>({}, {1000.6931f})));
}

TEST(Reduce, HoldsLogarithmsWithinIntegers) {
  CheckOpCases(
      {Reduce("ReduceLogSumExp", Values<int64_t>({0}, {}), Axes({0}),
              Values<int64_t>({}, {INT64_MIN})),
       Reduce("ReduceLogSum", Values<int32_t>({2}, {-1, -1}), Axes({0}), Values<int32_t>({}, {0})),
       Reduce("ReduceLogSum", Values<int32_t>({1}, {0}), Axes({0}),
              Values<int32_t>({}, {INT32_MIN}))});
}

TEST(Reduce, RefusesAxesOutsideTheRank) {
  ExpectOpError(Reduce("ReduceSum", Values<float>({2}, {1, 2}), Axes({1}), Values<float>({}, {0})),
                "axis 1 is outside [-1,0]");
}

}  // namespace
}  // namespace inferd::testing
