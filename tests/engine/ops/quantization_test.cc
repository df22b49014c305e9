#include "engine/ops/quantization.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

using Pairs = std::vector<std::pair<std::string, Attributes::Value>>;

OpCase Quantized(const char* op, std::vector<std::optional<Tensor>> inputs,
                 std::vector<std::optional<Tensor>> outputs, Pairs attributes = {}) {
  return {.name = op,
          .op = op,
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = MakeAttributes(std::move(attributes))};
}

TEST(QuantizeLinear, RoundsHalvesToEvenAndSaturates) {
  CheckOpCase(Quantized("QuantizeLinear",
                        {Values<float>({5}, {1, 3, -1000, 1000, 5}), Values<float>({}, {2}),
                         Values<uint8_t>({}, {10})},
                        {Values<uint8_t>({5}, {10, 12, 0, 255, 12})}));
}

TEST(QuantizeLinear, TakesScalesByAxisAndByBlock) {
  const Tensor x = Values<float>({2, 2}, {2, 4, 6, 8});
  CheckOpCases(
      {Quantized("QuantizeLinear", {x, Values<float>({2}, {1, 2}), Values<int8_t>({2}, {0, 1})},
                 {Values<int8_t>({2, 2}, {2, 3, 6, 5})}),
       Quantized("QuantizeLinear", {x, Values<float>({1, 2}, {1, 2})},
                 {Values<uint8_t>({2, 2}, {2, 2, 6, 4})},
                 {{"axis", int64_t{0}}, {"block_size", int64_t{2}}})});
}

TEST(QuantizeLinear, RefusesScalesThatFitNoGranularity) {
  const Tensor x = Values<float>({2, 2}, {2, 4, 6, 8});
  ExpectOpError(Quantized("QuantizeLinear", {x, Values<float>({3}, {1, 1, 1})}, {x}),
                "fits no granularity");
  ExpectOpError(
      Quantized("QuantizeLinear", {x, Values<float>({}, {1})}, {x}, {{"output_dtype", int64_t{1}}}),
      "cannot quantize to element type float32");
}

TEST(DequantizeLinear, SubtractsTheZeroPoint) {
  CheckOpCases(
      {Quantized(
           "DequantizeLinear",
           {Values<uint8_t>({2}, {0, 255}), Values<float>({}, {0.5}), Values<uint8_t>({}, {128})},
           {Values<float>({2}, {-64, 63.5})}),
       Quantized("DequantizeLinear", {Values<int32_t>({1}, {1000}), Values<float>({}, {0.25})},
                 {Values<float>({1}, {250})})});
}

TEST(DynamicQuantizeLinear, CoversTheRangeWithZero) {
  CheckOpCase(Quantized(
      "DynamicQuantizeLinear", {Values<float>({3}, {0, 2.55, 5.1})},
      {Values<uint8_t>({3}, {0, 128, 255}), Values<float>({}, {0.02f}), Values<uint8_t>({}, {0})}));
}

TEST(IntegerProducts, SubtractZeroPointsOfRowsColumnsAndChannels) {
  const Tensor a = Values<uint8_t>({1, 2}, {3, 5});
  const Tensor b = Values<int8_t>({2, 2}, {1, -1, 2, -2});
  CheckOpCases(
      {Quantized("MatMulInteger", {a, b, Values<uint8_t>({}, {2}), Values<int8_t>({2}, {0, 1})},
                 {Values<int32_t>({1, 2}, {7, -11})}),
       Quantized("ConvInteger",
                 {Values<uint8_t>({1, 1, 3}, {3, 4, 5}), Values<uint8_t>({1, 1, 2}, {1, 2}),
                  Values<uint8_t>({}, {3})},
                 {Values<int32_t>({1, 1, 4}, {0, 2, 5, 2})},
                 {{"pads", std::vector<int64_t>{1, 1}}}),
       Quantized("QLinearMatMul",
                 {a, Values<float>({}, {1}), Values<uint8_t>({}, {2}), b, Values<float>({}, {0.5}),
                  Values<int8_t>({}, {0}), Values<float>({}, {0.5}), Values<int8_t>({}, {1})},
                 {Values<int8_t>({1, 2}, {8, -6})}),
       Quantized("QLinearConv",
                 {Values<uint8_t>({1, 1, 2}, {2, 4}), Values<float>({}, {0.5}),
                  Values<uint8_t>({}, {0}), Values<int8_t>({2, 1, 1}, {1, -1}),
                  Values<float>({2}, {1, 2}), Values<int8_t>({2}, {0, 0}), Values<float>({}, {1}),
                  Values<int8_t>({}, {0}), Values<int32_t>({2}, {2, 0})},
                 {Values<int8_t>({1, 2, 2}, {2, 3, -2, -4})})});
}

TEST(QuantizeValue, TreatsNanAndInfinityAsTheZeroPointAndTheEnds) {
  const IntegerRange range{-128, 127};
  EXPECT_EQ(QuantizeValue(std::nan(""), 5, range), 5);
  EXPECT_EQ(QuantizeValue(INFINITY, 5, range), 127);
  EXPECT_EQ(QuantizeValue(-INFINITY, 5, range), -128);
}

}  // namespace
}  // namespace inferd::testing
