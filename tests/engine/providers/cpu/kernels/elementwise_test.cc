#include <algorithm>
#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr Layout kBothLayouts[] = {Layout::kRowMajor, Layout::kChannelsLast};

// Numbers of every size, both signs, and the special ones.
Tensor WideFloats(bool positive) {
  std::vector<float> values = {0.0f,       1.0f,   0.5f,   2.5f,  1.5f,  0.99999994f,
                               1.0000001f, 3.0f,   kInf,   kNan,  87.0f, 88.7f,
                               89.5f,      104.0f, 1e-40f, 1e30f, 6.0f,  20.0f};
  for (int i = 0; i < 3000; ++i) {
    values.push_back(std::exp(-20.0f + 0.011f * static_cast<float>(i)));
  }
  const size_t count = values.size();
  if (!positive) {
    for (size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  }
  return Tensor::FromValues<float>({static_cast<int64_t>(values.size())}, values);
}

Attributes WithFloat(const char* name, float value) {
  Attributes attributes;
  attributes.Set(name, value);
  return attributes;
}

KernelCase Unary(const char* op, Tensor x, Attributes attributes = {}) {
  return {.op = op, .inputs = {Activation(std::move(x))}, .attributes = std::move(attributes)};
}

TEST(ElementwiseKernels, MatchThePortableKernelsOverTheWholeRange) {
  for (const char* op : {"Relu",
                         "LeakyRelu",
                         "Sigmoid",
                         "Tanh",
                         "Exp",
                         "Erf",
                         "HardSwish",
                         "HardSigmoid",
                         "Softplus",
                         "Softsign",
                         "Elu",
                         "Selu",
                         "ThresholdedRelu",
                         "Abs",
                         "Neg",
                         "Reciprocal",
                         "Floor",
                         "Ceil",
                         "Round",
                         "Sign",
                         "Mish",
                         "Swish",
                         "Sqrt",
                         "Log"}) {
    ExpectAgrees(Unary(op, WideFloats(false)), 2e-6, 2e-7);
  }
  // 1 + erf(x) cancels for negative x.
  ExpectAgrees(Unary("Gelu", WideFloats(false)), 2e-6, 1e-6);
}

TEST(ElementwiseKernels, KeepRelativePrecisionForSmallResults) {
  for (const char* op : {"Tanh", "Erf", "Exp", "Sigmoid", "Softsign"}) {
    ExpectAgrees(Unary(op, RandomFloats({5000}, -15.0f, 10.0f)), 1e-6, 1e-37);
  }
  ExpectAgrees(Unary("Log", WideFloats(true)), 1e-6, 1e-7);
}

TEST(ElementwiseKernels, TakeParametersFromAttributes) {
  ExpectAgrees(Unary("LeakyRelu", RandomFloats({77}), WithFloat("alpha", 0.3f)));
  ExpectAgrees(Unary("Elu", RandomFloats({77}), WithFloat("alpha", 0.3f)));
  ExpectAgrees(Unary("HardSigmoid", RandomFloats({77}), WithFloat("alpha", 1.0f / 6.0f)));
  ExpectAgrees(Unary("Swish", RandomFloats({77}), WithFloat("alpha", 1.5f)));
  Attributes tanh;
  tanh.Set("approximate", std::string("tanh"));
  ExpectAgrees(Unary("Gelu", WideFloats(false), tanh), 2e-6, 1e-6);
}

TEST(ElementwiseKernels, ClipWithEitherBoundAbsent) {
  const Tensor low = Tensor::Scalar(-0.5f);
  const Tensor high = Tensor::Scalar(0.75f);
  ExpectAgrees({.op = "Clip", .inputs = {Activation(WideFloats(false)), Constant(low)}});
  ExpectAgrees({.op = "Clip",
                .inputs = {Activation(WideFloats(false)), Activation(Tensor()), Constant(high)}});
  ExpectAgrees(
      {.op = "Clip", .inputs = {Activation(WideFloats(false)), Constant(low), Constant(high)}});
}

TEST(ElementwiseKernels, EveryLengthAndInPlace) {
  for (int64_t length = 0; length < 70; ++length) {
    KernelCase test = Unary("Sigmoid", RandomFloats({length}));
    ExpectAgrees(test);
    test.in_place_input = 0;
    ExpectAgrees(test);
  }
}

TEST(ElementwiseKernels, BroadcastEveryPattern) {
  const std::vector<std::pair<Shape, Shape>> patterns = {{{2, 3, 5, 7}, {2, 3, 5, 7}},
                                                         {{2, 3, 5, 7}, {1, 3, 1, 1}},
                                                         {{2, 3, 5, 7}, {3, 1, 1}},
                                                         {{2, 3, 5, 7}, {7}},
                                                         {{2, 3, 5, 7}, {5, 1}},
                                                         {{2, 3, 5, 7}, {}},
                                                         {{2, 3, 5, 7}, {2, 1, 5, 1}},
                                                         {{2, 1, 5, 1}, {1, 3, 1, 7}},
                                                         {{1}, {4, 1, 6}},
                                                         {{2, 3, 5, 7}, {2, 3, 1, 1}},
                                                         {{2, 0, 5}, {1, 1, 5}},
                                                         {{}, {}},
                                                         {{3, 1}, {1, 40}},
                                                         {{4, 40}, {4, 1}},
                                                         {{1, 1}, {1, 1, 1}}};
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"}) {
    for (const auto& [a, b] : patterns) {
      const Tensor x = RandomFloats(a, 0.5f, 2.0f, 1);
      const Tensor y = RandomFloats(b, 0.5f, 2.0f, 2);
      ExpectAgrees({.op = op, .inputs = {Activation(x), Activation(y)}});
      ExpectAgrees({.op = op, .inputs = {Activation(y), Activation(x)}});
    }
  }
}

TEST(ElementwiseKernels, BroadcastOverChannelsLast) {
  const Shape full = {2, 19, 5, 7};
  for (const Shape& other :
       std::vector<Shape>{full, {1, 19, 1, 1}, {19, 1, 1}, {2, 19, 1, 1}, {}}) {
    KernelCase test{.op = "Sub",
                    .inputs = {Activation(RandomFloats(full), Layout::kChannelsLast),
                               Activation(RandomFloats(other, 1.0f, 2.0f, 3))},
                    .output_layout = Layout::kChannelsLast};
    if (other == full) test.inputs[1].layout = Layout::kChannelsLast;
    ExpectAgrees(test);
    std::swap(test.inputs[0], test.inputs[1]);
    ExpectAgrees(test);
  }
  for (const Shape& other : std::vector<Shape>{{7}, {5, 1}, {2, 1, 5, 7}, {1, 19, 5, 7}}) {
    ExpectAgrees({.op = "Mul",
                  .inputs = {Activation(RandomFloats(full), Layout::kChannelsLast),
                             Constant(RandomFloats(other))},
                  .output_layout = Layout::kChannelsLast});
  }
}

TEST(ElementwiseKernels, BinaryInPlaceOfEitherOperand) {
  for (const int input : {0, 1}) {
    ExpectAgrees({.op = "Sub",
                  .inputs = {Activation(RandomFloats({3, 37}, -1, 1, 1)),
                             Activation(RandomFloats({3, 37}, -1, 1, 2))},
                  .in_place_input = input});
  }
  ExpectAgrees({.op = "Div",
                .inputs = {Activation(RandomFloats({3, 37}, 1, 2, 1)),
                           Activation(RandomFloats({3, 1}, 1, 2, 2))},
                .in_place_input = 0});
}

TEST(ElementwiseKernels, MinAndMaxGiveNanForNanInEitherOperand) {
  const Tensor a = Tensor::FromValues<float>({6}, {1, kNan, 3, kInf, -kInf, kNan});
  const Tensor b = Tensor::FromValues<float>({6}, {kNan, 1, 2, kNan, 5, kNan});
  for (const char* op : {"Min", "Max"}) {
    ExpectAgrees({.op = op, .inputs = {Activation(a), Activation(b)}});
  }
}

TEST(ElementwiseKernels, PowWithConstantExponents) {
  for (const float exponent : {1.0f, 2.0f, 3.0f, 0.5f, -1.0f, 1.7f}) {
    ExpectAgrees({.op = "Pow",
                  .inputs = {Activation(RandomFloats({41}, 0.1f, 3.0f)),
                             Constant(Tensor::Scalar(exponent))}});
  }
}

TEST(ElementwiseKernels, CompareAndSelect) {
  const Tensor a = RandomInt64s({3, 5, 4}, 0, 3, 1);
  const Tensor b = RandomInt64s({5, 1}, 0, 3, 2);
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    ExpectAgrees({.op = op, .inputs = {Activation(a), Activation(b)}});
    ExpectAgrees(
        {.op = op, .inputs = {Activation(RandomFloats({3, 9})), Activation(RandomFloats({9}))}});
  }
  Tensor condition = Tensor::Allocate(DType::kBool, {3, 1, 9}).value();
  for (int i = 0; i < 27; ++i) condition.mutable_data<bool>()[i] = i % 3 == 1;
  ExpectAgrees({.op = "Where",
                .inputs = {Activation(condition), Activation(RandomFloats({3, 4, 9})),
                           Activation(Tensor::Scalar(-kInf))}});
  ExpectAgrees({.op = "Where",
                .inputs = {Activation(condition), Activation(RandomInt64s({4, 1}, 0, 99)),
                           Activation(RandomInt64s({1, 4, 9}, 0, 99, 5))}});
  ExpectAgrees({.op = "Not", .inputs = {Activation(condition)}});
  ExpectAgrees({.op = "And", .inputs = {Activation(condition), Activation(condition)}});
}

TEST(ElementwiseKernels, IntegerArithmetic) {
  for (const char* op : {"Add", "Sub", "Mul", "Min", "Max"}) {
    ExpectAgrees({.op = op,
                  .inputs = {Activation(RandomInt64s({3, 7}, -50, 50)),
                             Activation(RandomInt64s({7}, -50, 50, 2))}});
  }
}

TEST(ElementwiseKernels, CastBetweenNumbersAndBool) {
  for (const DType to : {DType::kFloat32, DType::kInt32, DType::kBool, DType::kFloat64}) {
    Attributes attributes;
    attributes.Set("to", static_cast<int64_t>(to));
    ExpectAgrees({.op = "Cast",
                  .inputs = {Activation(RandomInt64s({4, 9}, -5, 5))},
                  .attributes = attributes});
  }
}

TEST(ElementwiseKernels, EpilogueStepsFollowTheNodeOnBothLayouts) {
  for (const Layout layout : kBothLayouts) {
    const Shape shape = {2, 21, 30, 31};
    KernelCase test{.op = "Add",
                    .inputs = {Activation(RandomFloats(shape, -2, 2, 1), layout),
                               Activation(RandomFloats(shape, -2, 2, 2), layout)},
                    .output_layout = layout};
    test.epilogue = {{"Relu", {}},
                     {"Mul", {}, RandomFloats({21, 1, 1}, 1, 2, 3)},
                     {"Sub", {}, RandomFloats(shape, -1, 1, 4), true, layout},
                     {"HardSwish", {}}};
    ExpectAgrees(test);
    test.threads = 2;
    ExpectAgrees(test);
  }
}

TEST(ElementwiseKernels, ClipAsAnEpilogueTakesItsBoundsFromAttributes) {
  const Tensor x = RandomFloats({40}, -3.0f, 3.0f);
  KernelCase test{.op = "Neg", .inputs = {Activation(x)}};
  KernelCase::EpilogueOp clip{"Clip", {}};
  clip.attributes.Set("min", 0.0f);
  clip.attributes.Set("max", 1.5f);
  test.epilogue = {clip};
  const auto outcome = RunCase(test);
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const float expected = std::min(std::max(-x.data<float>()[i], 0.0f), 1.5f);
    EXPECT_EQ(outcome->actual[0].data<float>()[i], expected);
  }
}

TEST(ElementwiseKernels, LeaveWhatTheyDoNotCoverToThePortableKernel) {
  const Tensor doubles = Tensor::FromValues<double>({2}, {1.0, 2.0});
  EXPECT_FALSE(HasKernel({.op = "Add", .inputs = {Activation(doubles), Activation(doubles)}}));
  Attributes to_int;
  to_int.Set("to", int64_t{7});
  EXPECT_FALSE(
      HasKernel({.op = "Cast", .inputs = {Activation(RandomFloats({3}))}, .attributes = to_int}));
}

}  // namespace
}  // namespace inferd::cpu
