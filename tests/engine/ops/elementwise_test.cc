#include "engine/ops/elementwise.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/support/op_case.h"

namespace inferd::testing {
namespace {

constexpr DType kNumeric[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16,
                              DType::kInt8,    DType::kInt16,   DType::kInt32,   DType::kInt64,
                              DType::kUint8,   DType::kUint16,  DType::kUint32,  DType::kUint64};
constexpr DType kFloats[] = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16};

OpCase Binary(const std::string& op, DType dtype, std::vector<double> a, std::vector<double> b,
              std::vector<double> expected) {
  const auto column = [](const std::vector<double>& v) {
    return Shape({static_cast<int64_t>(v.size())});
  };
  return {.name = std::string(DTypeName(dtype)),
          .op = op,
          .inputs = {ValuesAs(dtype, column(a), a), ValuesAs(dtype, column(b), b)},
          .outputs = {ValuesAs(dtype, column(expected), expected)}};
}

TEST(Elementwise, CalculatesInEveryNumericType) {
  for (DType dtype : kNumeric) {
    CheckOpCase(Binary("Add", dtype, {1, 2, 3}, {4, 5, 6}, {5, 7, 9}));
    CheckOpCase(Binary("Sub", dtype, {9, 5, 3}, {4, 5, 1}, {5, 0, 2}));
    CheckOpCase(Binary("Mul", dtype, {1, 2, 3}, {4, 5, 6}, {4, 10, 18}));
    CheckOpCase(Binary("Div", dtype, {8, 9, 6}, {4, 3, 1}, {2, 3, 6}));
    CheckOpCase(Binary("Mod", dtype, {8, 9, 7}, {4, 5, 4}, {0, 4, 3}));
    CheckOpCase(Binary("Pow", dtype, {2, 3, 5}, {3, 2, 1}, {8, 9, 5}));
    CheckOpCase(Binary("Max", dtype, {2, 3, 5}, {3, 2, 1}, {3, 3, 5}));
    CheckOpCase(Binary("Min", dtype, {2, 3, 5}, {3, 2, 1}, {2, 2, 1}));
  }
}

TEST(Elementwise, ComparesInEveryNumericType) {
  for (DType dtype : kNumeric) {
    const auto check = [&](const std::string& op, std::initializer_list<bool> expected) {
      OpCase op_case = Binary(op, dtype, {1, 2, 3}, {2, 2, 2}, {});
      op_case.outputs = {Values<bool>({3}, expected)};
      CheckOpCase(op_case);
    };
    check("Equal", {false, true, false});
    check("Greater", {false, false, true});
    check("GreaterOrEqual", {false, true, true});
    check("Less", {true, false, false});
    check("LessOrEqual", {true, true, false});
  }
}

TEST(Elementwise, ComparesStringsForEquality) {
  CheckOpCase({.name = "strings",
               .op = "Equal",
               .inputs = {Values<std::string>({2}, {"a", "b"}), Values<std::string>({1}, {"b"})},
               .outputs = {Values<bool>({2}, {false, true})}});
}

TEST(Elementwise, BroadcastsBothOperands) {
  CheckOpCases({{.name = "column and row",
                 .op = "Add",
                 .inputs = {Values<float>({2, 1}, {10, 20}), Values<float>({3}, {1, 2, 3})},
                 .outputs = {Values<float>({2, 3}, {11, 12, 13, 21, 22, 23})}},
                {.name = "scalar first",
                 .op = "Sub",
                 .inputs = {Values<float>({}, {10}), Values<float>({2}, {1, 2})},
                 .outputs = {Values<float>({2}, {9, 8})}},
                {.name = "scalar of higher rank",
                 .op = "Sub",
                 .inputs = {Values<float>({2}, {1, 2}), Values<float>({1, 1, 1}, {10})},
                 .outputs = {Values<float>({1, 1, 2}, {-9, -8})}},
                {.name = "empty",
                 .op = "Mul",
                 .inputs = {Values<float>({0, 3}, {}), Values<float>({3}, {1, 2, 3})},
                 .outputs = {Values<float>({0, 3}, {})}},
                {.name = "three operands",
                 .op = "Where",
                 .inputs = {Values<bool>({2, 1}, {true, false}), Values<int32_t>({2}, {1, 2}),
                            Values<int32_t>({1, 1, 1}, {9})},
                 .outputs = {Values<int32_t>({1, 2, 2}, {1, 2, 9, 9})}},
                {.name = "many operands",
                 .op = "Sum",
                 .inputs = {Values<float>({2, 1}, {1, 2}), Values<float>({2}, {10, 20}),
                            Values<float>({}, {100})},
                 .outputs = {Values<float>({2, 2}, {111, 121, 112, 122})}}});
}

TEST(Elementwise, RefusesShapesThatDoNotBroadcast) {
  ExpectOpError({.op = "Add",
                 .inputs = {Values<float>({2}, {1, 2}), Values<float>({3}, {1, 2, 3})},
                 .outputs = {Values<float>({}, {0})}},
                "[2] and [3]");
}

TEST(Elementwise, RefusesAnAbsentInputAmongMany) {
  ExpectOpError({.op = "Min",
                 .inputs = {Values<float>({1}, {1}), std::nullopt, Values<float>({1}, {2})},
                 .outputs = {Values<float>({1}, {0})}},
                "input 1 is absent");
}

TEST(Elementwise, RefusesMixedTypes) {
  ExpectOpError({.op = "Add",
                 .inputs = {Values<float>({1}, {1}), Values<int32_t>({1}, {1})},
                 .outputs = {Values<float>({1}, {0})}},
                "int32");
}

TEST(Elementwise, CalculatesFunctionsInEveryFloatType) {
  using Function = double (*)(double);
  const std::pair<const char*, Function> functions[] = {
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Tan", [](double x) { return std::tan(x); }},
      {"Atan", [](double x) { return std::atan(x); }},
      {"Asin", [](double x) { return std::asin(x); }},
      {"Acos", [](double x) { return std::acos(x); }},
      {"Sinh", [](double x) { return std::sinh(x); }},
      {"Cosh", [](double x) { return std::cosh(x); }},
      {"Asinh", [](double x) { return std::asinh(x); }},
      {"Atanh", [](double x) { return std::atanh(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Round", [](double x) { return std::nearbyint(x); }}};
  const std::vector<double> values = {0.125, 0.5, 0.75};
  for (const auto& [op, function] : functions) {
    std::vector<double> expected;
    for (double value : values) expected.push_back(function(value));
    for (DType dtype : kFloats) {
      const bool half = ElementBytes(dtype) == 2;
      CheckOpCase({.name = std::string(DTypeName(dtype)),
                   .op = op,
                   .inputs = {ValuesAs(dtype, {3}, values)},
                   .outputs = {ValuesAs(dtype, {3}, expected)},
                   .relative_tolerance = half ? 1e-2 : 1e-5});
    }
  }
}

TEST(Elementwise, RoundsHalvesToEven) {
  CheckOpCase({.op = "Round",
               .inputs = {Values<float>({5}, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f})},
               .outputs = {Values<float>({5}, {0, 2, 2, 0, -2})}});
}

TEST(Elementwise, KeepsNanInMinMaxAndClip) {
  const float nan = std::nanf("");
  for (const char* op : {"Min", "Max"}) {
    CheckOpCase({.op = op,
                 .inputs = {Values<float>({2}, {nan, 1}), Values<float>({2}, {1, nan})},
                 .outputs = {Values<float>({2}, {nan, nan})}});
  }
  CheckOpCase({.op = "Clip",
               .inputs = {Values<float>({1}, {nan}), Values<float>({}, {0})},
               .outputs = {Values<float>({1}, {nan})}});
}

TEST(Elementwise, ClipsToTheUpperBoundWhenBoundsCross) {
  CheckOpCase({.op = "Clip",
               .inputs = {Values<int8_t>({3}, {-5, 0, 5}), Values<int8_t>({}, {2}),
                          Values<int8_t>({}, {-1})},
               .outputs = {Values<int8_t>({3}, {-1, -1, -1})}});
}

TEST(Elementwise, FindsNanAndInfinityInFloat8) {
  Tensor x = Tensor::Allocate(DType::kFloat8E5m2, {3}).value();
  x.mutable_data<uint8_t>()[0] = 0x7f;
  x.mutable_data<uint8_t>()[1] = 0xfc;
  x.mutable_data<uint8_t>()[2] = 0x3c;
  CheckOpCase({.op = "IsNaN", .inputs = {x}, .outputs = {Values<bool>({3}, {true, false, false})}});
  CheckOpCase({.op = "IsInf", .inputs = {x}, .outputs = {Values<bool>({3}, {false, true, false})}});
  CheckOpCase({.op = "IsInf",
               .inputs = {x},
               .outputs = {Values<bool>({3}, {false, false, false})},
               .attributes = MakeAttributes({{"detect_negative", int64_t{0}}})});
}

}  // namespace
}  // namespace inferd::testing
