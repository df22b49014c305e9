#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

struct ConvShape {
  Shape x;
  Shape w;
  std::vector<int64_t> strides = {};
  std::vector<int64_t> pads = {};
  std::vector<int64_t> dilations = {};
  int64_t group = 1;
};

Attributes AttributesOfConv(const ConvShape& shape) {
  Attributes attributes;
  if (!shape.strides.empty()) attributes.Set("strides", shape.strides);
  if (!shape.pads.empty()) attributes.Set("pads", shape.pads);
  if (!shape.dilations.empty()) attributes.Set("dilations", shape.dilations);
  attributes.Set("group", shape.group);
  return attributes;
}

ProviderCase CaseOf(const ConvShape& shape, bool bias = true) {
  ProviderCase test("Conv", AttributesOfConv(shape));
  test.Input(RandomFloats(shape.x, -1, 1, 1)).Constant(RandomFloats(shape.w, -1, 1, 2));
  if (bias) test.Constant(RandomFloats(Shape({shape.w[0]}), -1, 1, 3));
  return test;
}

TEST(ConvKernel, AgreesOverOddShapesPadsStridesAndDilations) {
  const ConvShape shapes[] = {
      {{1, 3, 17, 19}, {8, 3, 3, 3}, {2, 2}, {1, 1, 1, 1}},
      {{2, 3, 30, 30}, {16, 3, 7, 7}, {2, 2}, {3, 3, 3, 3}},
      {{1, 1, 11, 13}, {5, 1, 3, 3}},
      {{1, 5, 9, 9}, {3, 5, 1, 1}},
      {{3, 17, 8, 7}, {33, 17, 3, 3}, {1, 1}, {1, 1, 1, 1}},
      {{1, 16, 14, 14}, {24, 16, 3, 3}, {1, 1}, {0, 2, 1, 0}},
      {{1, 16, 14, 14}, {24, 16, 3, 3}, {2, 1}, {2, 0, 3, 1}, {2, 3}},
      {{1, 64, 10, 10}, {64, 64, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}},
      {{1, 8, 20, 6}, {7, 8, 1, 5}, {1, 2}, {0, 2, 0, 2}},
      {{1, 8, 5, 5}, {8, 8, 3, 3}, {1, 1}, {4, 4, 4, 4}},
      {{1, 64, 12, 12}, {32, 64, 1, 1}, {2, 2}},
      {{1, 8, 12, 12}, {8, 8, 1, 1}, {1, 1}, {1, 1, 1, 1}},
      {{1, 6, 1, 1}, {9, 6, 1, 1}},
      {{1, 4, 16, 16}, {20, 4, 16, 16}, {16, 16}},
      {{2, 33, 5, 5}, {1, 33, 5, 5}},
      // One pixel wide.
      {{2, 12, 40, 1}, {9, 12, 5, 1}, {2, 1}, {1, 0, 2, 0}},
      {{1, 12, 40, 1}, {9, 12, 5, 1}, {1, 1}, {}, {3, 1}},
  };
  for (const ConvShape& shape : shapes) {
    CaseOf(shape, true).ExpectAgrees();
    CaseOf(shape, false).ExpectAgrees();
  }
}

TEST(ConvKernel, AgreesOverGroupsAndDepthwise) {
  const ConvShape shapes[] = {
      {{1, 96, 15, 15}, {96, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {}, 96},
      {{2, 17, 9, 9}, {17, 1, 5, 5}, {1, 1}, {2, 2, 2, 2}, {}, 17},
      {{1, 16, 9, 9}, {16, 1, 3, 3}, {1, 1}, {0, 1, 2, 1}, {}, 16},
      {{1, 16, 12, 12}, {16, 1, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 16},
      {{1, 16, 9, 9}, {32, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 16},
      {{1, 8, 9, 9}, {12, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 2},
      {{1, 64, 7, 7}, {64, 2, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 32},
      {{2, 34, 7, 7}, {34, 17, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 2},
      {{1, 6, 7, 7}, {9, 2, 1, 1}, {}, {}, {}, 3},
  };
  for (const ConvShape& shape : shapes) CaseOf(shape).ExpectAgrees();
}

TEST(ConvKernel, AgreesInOneAndThreeDimensions) {
  const ConvShape shapes[] = {
      {{1, 64, 50}, {32, 64, 3}, {1}, {1, 1}},
      {{2, 5, 41}, {7, 5, 4}, {3}, {0, 2}, {2}},
      {{1, 24, 33}, {24, 1, 5}, {1}, {2, 2}, {}, 24},
      {{1, 32, 40}, {32, 8, 16}, {1}, {8, 8}, {}, 4},
      {{1, 3, 7, 8, 9}, {10, 3, 3, 3, 3}, {2, 1, 2}, {1, 0, 1, 1, 2, 0}},
      {{2, 8, 4, 5, 6}, {8, 1, 3, 3, 3}, {1, 1, 1}, {1, 1, 1, 1, 1, 1}, {}, 8},
  };
  for (const ConvShape& shape : shapes) CaseOf(shape).ExpectAgrees();
}

TEST(ConvKernel, ResolvesAutomaticPadding) {
  for (const char* auto_pad : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    ProviderCase test(
        "Conv", AttributesOf({{"auto_pad", std::string(auto_pad)}, {"strides", Ints({2, 3})}}));
    test.Input(RandomFloats({1, 4, 12, 13})).Constant(RandomFloats({6, 4, 4, 4}));
    test.ExpectAgrees();
  }
}

TEST(ConvKernel, AppliesActivations) {
  const ConvShape dense{{1, 16, 9, 9}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const ConvShape depthwise{{1, 24, 9, 9}, {24, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 24};
  const ConvShape pointwise{{1, 16, 9, 9}, {24, 16, 1, 1}};
  const ConvShape grouped{{1, 16, 9, 9}, {16, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 4};
  const ConvShape dilated{{1, 24, 9, 9}, {24, 1, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 24};
  const ConvShape line{{1, 32, 20}, {32, 8, 16}, {1}, {8, 8}, {}, 4};
  for (const ConvShape& shape : {dense, depthwise, pointwise, grouped, dilated, line}) {
    CaseOf(shape).Then("Relu").ExpectAgrees();
    CaseOf(shape).Then("LeakyRelu", AttributesOf({{"alpha", 0.2f}})).ExpectAgrees();
    CaseOf(shape).Then("LeakyRelu").ExpectAgrees();
    CaseOf(shape).Then("Clip", AttributesOf({{"min", 0.0f}, {"max", 6.0f}})).ExpectAgrees();
    CaseOf(shape).Then("Clip", AttributesOf({{"max", 1.5f}})).ExpectAgrees();
    CaseOf(shape).Then("Sigmoid").ExpectAgrees(1e-5);
    CaseOf(shape).Then("Tanh").ExpectAgrees(1e-5);
    CaseOf(shape).Then("HardSwish").ExpectAgrees();
    CaseOf(shape).Then("HardSigmoid").ExpectAgrees(1e-5);
    CaseOf(shape).Then("HardSigmoid", AttributesOf({{"alpha", 1.0f / 6}})).ExpectAgrees(1e-5);
    CaseOf(shape).Then("Elu").ExpectAgrees();
    CaseOf(shape).Then("Gelu").ExpectAgrees();
    CaseOf(shape).Then("Gelu", AttributesOf({{"approximate", std::string("tanh")}})).ExpectAgrees();
    CaseOf(shape).Then("Mish").ExpectAgrees();
    CaseOf(shape).Then("Swish").ExpectAgrees();
    CaseOf(shape).Then("Swish", AttributesOf({{"alpha", 1.702f}})).ExpectAgrees();
  }
}

TEST(ConvKernel, AddsAResidualBeforeOrAfterAnActivation) {
  const ConvShape dense{{2, 16, 9, 9}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const ConvShape pointwise{{2, 16, 9, 9}, {24, 16, 1, 1}};
  const ConvShape strided{{2, 16, 18, 18}, {24, 16, 1, 1}, {2, 2}};
  const ConvShape depthwise{{2, 24, 9, 9}, {24, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 24};
  for (const ConvShape& shape : {dense, pointwise, strided, depthwise}) {
    const Tensor residual = RandomFloats({2, 24, 9, 9}, -3, 3, 4);
    CaseOf(shape).ThenWith("Add", residual).ExpectAgrees();
    CaseOf(shape).ThenWith("Add", residual).Then("Relu").ExpectAgrees();
    CaseOf(shape).Then("Relu").ThenWith("Add", residual).ExpectAgrees();
    CaseOf(shape).ThenWith("Add", residual, /*constant=*/true).ExpectAgrees();
    CaseOf(shape).ThenWith("Add", residual).ThenWith("Add", residual).ExpectAgrees();
    CaseOf(shape).ThenWith("Mul", residual).ExpectAgrees();
    CaseOf(shape).ThenWith("Sub", residual).ExpectAgrees();
    CaseOf(shape).ThenWith("Sub", residual, false, /*operand_first=*/true).ExpectAgrees();
  }
}

TEST(ConvKernel, KeepsItsBestImplementationWithAResidual) {
  const ConvShape dense{{1, 64, 14, 14}, {64, 64, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const std::string plain = CaseOf(dense).ExpectAgrees();
  const std::string with_residual =
      CaseOf(dense).ThenWith("Add", RandomFloats({1, 64, 14, 14})).ExpectAgrees();
  EXPECT_EQ(with_residual, plain + "+Add");
}

TEST(ConvKernel, AppliesScalarsAndChannelVectors) {
  const ConvShape shape{{2, 16, 9, 9}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const ConvShape line{{2, 16, 9}, {24, 16, 3}, {1}, {1, 1}};
  CaseOf(shape).ThenWith("Mul", Tensor::Scalar(0.25f), true).ExpectAgrees();
  CaseOf(shape).ThenWith("Div", Tensor::Scalar(3.0f), true).ExpectAgrees();
  CaseOf(shape).ThenWith("Add", RandomFloats({1, 1, 1, 1}), true).ExpectAgrees();
  CaseOf(shape).ThenWith("Sub", Tensor::Scalar(3.0f), true, true).ExpectAgrees();
  CaseOf(shape).ThenWith("Mul", RandomFloats({24, 1, 1}), true).ExpectAgrees();
  CaseOf(shape).ThenWith("Mul", RandomFloats({1, 24, 1, 1}), true).Then("Relu").ExpectAgrees();
  CaseOf(shape).ThenWith("Add", RandomFloats({1, 24, 1, 1})).ExpectAgrees();
  CaseOf(line).ThenWith("Mul", RandomFloats({24, 1}), true).ExpectAgrees();
}

TEST(ConvKernel, AppliesChainsOfSteps) {
  const ConvShape dense{{2, 16, 9, 9}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const ConvShape pointwise{{2, 16, 9, 9}, {24, 16, 1, 1}};
  const ConvShape depthwise{{2, 24, 9, 9}, {24, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {}, 24};
  for (const ConvShape& shape : {dense, pointwise, depthwise}) {
    const Tensor residual = RandomFloats({2, 24, 9, 9}, -3, 3, 4);
    CaseOf(shape).Then("Relu").ThenWith("Add", residual).Then("Relu").ExpectAgrees();
    CaseOf(shape)
        .ThenWith("Mul", Tensor::Scalar(0.5f), true)
        .ThenWith("Add", Tensor::Scalar(1.5f), true)
        .Then("Tanh")
        .ThenWith("Mul", residual)
        .ExpectAgrees(1e-5);
  }
}

TEST(ConvKernel, RefusesWhatOneDnnComputesWrongly) {
  const auto provider = MakeCpuProvider();
  const ConvShape dense{{1, 16, 9, 9}, {24, 16, 3, 3}};
  const ConvShape depthwise{{1, 24, 9, 9}, {24, 1, 3, 3}, {}, {}, {}, 24};
  ProviderCase twice = CaseOf(dense).Then("Swish").Then("Relu").Then("Swish");
  EXPECT_FALSE(twice.Supported(*provider));
  ProviderCase scaled = CaseOf(depthwise).ThenWith("Mul", RandomFloats({24, 1, 1}), true);
  EXPECT_FALSE(scaled.Supported(*provider));
}

TEST(ConvKernel, TakesWeightsThatAreComputed) {
  for (int64_t group : {1, 4}) {
    ProviderCase test("Conv", AttributesOf({{"pads", Ints({1, 1, 1, 1})}, {"group", group}}));
    test.Input(RandomFloats({1, 16, 9, 9}, -1, 1, 1))
        .Input(RandomFloats({24, 16 / group, 3, 3}, -1, 1, 2));
    test.ExpectAgrees();
    EXPECT_FALSE(test.kernel()->holds_input(1));
  }
}

TEST(ConvKernel, ReordersValuesThatAreStoredRowMajor) {
  const ConvShape shape{{2, 16, 9, 9}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}};
  const ConvShape pointwise{{2, 16, 9, 9}, {24, 16, 1, 1}};
  for (const ConvShape& each : {shape, pointwise}) {
    CaseOf(each).KeepRowMajor().ExpectAgrees();
    CaseOf(each).ThenWith("Add", RandomFloats({2, 24, 9, 9})).KeepRowMajor().ExpectAgrees();
  }
}

TEST(ConvKernel, UsesTwoThreads) {
  ProviderCase test = CaseOf({{2, 16, 20, 20}, {24, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}});
  test.threads = 2;
  test.ExpectAgrees();
}

TEST(ConvKernel, HoldsPackedWeightsOnly) {
  ProviderCase test = CaseOf({{1, 16, 9, 9}, {24, 16, 3, 3}});
  test.ExpectAgrees();
  EXPECT_FALSE(test.kernel()->holds_input(0));
  EXPECT_TRUE(test.kernel()->holds_input(1));
  EXPECT_FALSE(test.kernel()->holds_input(2));
}

}  // namespace
}  // namespace inferd::cpu
