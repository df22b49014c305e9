#include "engine/ops/cast.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

OpCase Cast(const Tensor& from, const Tensor& to) {
  return {.name = from.TypeString() + " to " + to.TypeString(),
          .op = "Cast",
          .inputs = {from},
          .outputs = {to},
          .attributes = MakeAttributes({{"to", static_cast<int64_t>(to.dtype())}})};
}

TEST(Cast, ConvertsEveryPairOfTypes) {
  for (int from = 1; IsKnownDType(from); ++from) {
    for (int to = 1; IsKnownDType(to); ++to) {
      const auto complex = [](int code) { return code == 14 || code == 15; };
      // One exists in every type, zero not in e8m0.
      if (complex(from) || complex(to)) continue;
      CheckOpCase(Cast(ValuesAs(static_cast<DType>(from), {2}, {1, 1}),
                       ValuesAs(static_cast<DType>(to), {2}, {1, 1})));
    }
  }
}

TEST(Cast, KeepsTheLowBitsOfIntegers) {
  CheckOpCase(Cast(Values<int16_t>({2}, {200, -1}), Values<int8_t>({2}, {-56, -1})));
  CheckOpCase(Cast(Values<int64_t>({1}, {(int64_t{1} << 32) + 5}), Values<int32_t>({1}, {5})));
  CheckOpCase(
      Cast(ValuesAs(DType::kInt32, {3}, {-9, 8, 15}), ValuesAs(DType::kInt4, {3}, {7, -8, -1})));
  CheckOpCase(Cast(ValuesAs(DType::kFloat32, {2}, {-3, 3}), ValuesAs(DType::kInt2, {2}, {1, -1})));
}

TEST(Cast, TruncatesFloatsAndHoldsThemInRange) {
  CheckOpCase(Cast(Values<float>({4}, {2.9f, -2.9f, 1e20f, -1e20f}),
                   Values<int64_t>({4}, {2, -2, INT64_MAX, INT64_MIN})));
  CheckOpCase(
      Cast(Values<float>({3}, {0.0f, -0.0f, 0.5f}), Values<bool>({3}, {false, false, true})));
}

TEST(Cast, KeepsLargeIntegersExact) {
  CheckOpCase(Cast(Values<int64_t>({1}, {INT64_MAX}), Values<uint64_t>({1}, {INT64_MAX})));
  CheckOpCase(Cast(Values<uint64_t>({1}, {UINT64_MAX}),
                   Values<std::string>({1}, {"18446744073709551615"})));
}

TEST(Cast, ReadsAndPrintsText) {
  CheckOpCase(Cast(Values<std::string>({4}, {"3.5", "-INF", "1e-5", "7"}),
                   Values<float>({4}, {3.5f, -INFINITY, 1e-5f, 7})));
  CheckOpCase(Cast(Values<std::string>({2}, {"12", "-3"}), Values<int32_t>({2}, {12, -3})));
  CheckOpCase(Cast(Values<float>({3}, {0.25f, 3, -1e-9f}),
                   Values<std::string>({3}, {"0.25", "3", "-1e-09"})));
  CheckOpCase(Cast(Values<bool>({2}, {true, false}), Values<std::string>({2}, {"1", "0"})));
}

TEST(Cast, NamesTextThatIsNoNumber) {
  ExpectOpError(Cast(Values<std::string>({2}, {"1", "x1"}), Values<float>({2}, {1, 0})),
                "element 1 is \"x1\"");
}

TEST(Cast, RefusesUnknownTypes) {
  OpCase op_case = Cast(Values<float>({1}, {1}), Values<float>({1}, {1}));
  op_case.attributes = MakeAttributes({{"to", int64_t{9999}}});
  ExpectOpError(op_case, "9999");
}

TEST(Cast, TakesTheTypeFromAnotherTensor) {
  CheckOpCase({.op = "CastLike",
               .inputs = {Values<float>({2}, {1.5f, 2}), Values<int8_t>({}, {0})},
               .outputs = {Values<int8_t>({2}, {1, 2})}});
}

TEST(Cast, RefusesAnUnknownRounding) {
  const Tensor x = Values<float>({2}, {1, 2});
  ExpectOpError({.op = "CastLike",
                 .inputs = {x, x},
                 .outputs = {x},
                 .attributes = MakeAttributes({{"round_mode", std::string("away")}})},
                "round_mode is \"away\"");
}

}  // namespace
}  // namespace inferd::testing
