#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"
#include "tests/support/op_case.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::DeviceFirst;
using testing::ExpectSameAnswers;
using testing::FakePassContext;
using testing::GraphBuilder;
using testing::MakeAttributes;
using testing::RandomTensor;
using testing::RunPass;
using testing::ValuesAs;

constexpr DType kE4m3 = DType::kFloat8E4m3fn;

FakePassContext WithProducts() {
  return DeviceFirst([](const Graph&, const Node& node) { return node.op->domain == "inferd"; });
}

// 0.5, -1.5, ... as 8-bit floats.
ValueId Stored(GraphBuilder& b, const Shape& shape, DType type = kE4m3) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    values.push_back(static_cast<double>(i * 7 % 11) * 0.5 - 2.5);
  }
  return b.graph().AddConstant("", ValuesAs(type, shape, values));
}

ValueId ZeroPoint(GraphBuilder& b, double value = 0) {
  return b.graph().AddConstant("", ValuesAs(kE4m3, Shape(), {value}));
}

ValueId Activation(GraphBuilder& b, ValueId x, double zero_point = 0) {
  const ValueId scale = b.Scalar(0.05f);
  const ValueId zero = ZeroPoint(b, zero_point);
  return b.Op("DequantizeLinear", {b.Op("QuantizeLinear", {x, scale, zero}), scale, zero});
}

TEST(FuseScaledProducts, TakesTheDequantizedOperandsOfAMatMul) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 16});
  const ValueId weights = b.Op("DequantizeLinear", {Stored(b, Shape({16, 8})), b.Scalar(0.1f)});
  Graph graph = b.Build({b.Op("MatMul", {Activation(b, x), weights})});
  ExpectSameAnswers(FuseScaledProducts, graph, {RandomTensor(Shape({2, 3, 16}))}, 1,
                    WithProducts());
  EXPECT_EQ(graph.num_nodes(), 2);
  EXPECT_EQ(CountOps(graph, "QuantizeLinear"), 1);
  EXPECT_EQ(CountOps(graph, "ScaledMatMul"), 1);
}

TEST(FuseScaledProducts, TakesTheTransposeOfTheWeights) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 16});
  const ValueId weights = b.Op("DequantizeLinear", {Stored(b, Shape({8, 16})), b.Scalar(0.1f)});
  const ValueId transposed =
      b.Op("Transpose", {weights}, MakeAttributes({{"perm", std::vector<int64_t>{1, 0}}}));
  Graph graph = b.Build({b.Op("MatMul", {Activation(b, x), transposed})});
  ExpectSameAnswers(FuseScaledProducts, graph, {RandomTensor(Shape({3, 16}))}, 1, WithProducts());
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(FuseScaledProducts, TakesStacksOfMatrices) {
  for (const bool transposed : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 3, 16});
    const Shape shape = transposed ? Shape({2, 8, 16}) : Shape({2, 16, 8});
    ValueId weights = b.Op("DequantizeLinear", {Stored(b, shape), b.Scalar(0.1f)});
    if (transposed) {
      weights =
          b.Op("Transpose", {weights}, MakeAttributes({{"perm", std::vector<int64_t>{0, 2, 1}}}));
    }
    Graph graph = b.Build({b.Op("MatMul", {Activation(b, x), weights})});
    ExpectSameAnswers(FuseScaledProducts, graph, {RandomTensor(Shape({2, 3, 16}))}, 1,
                      WithProducts());
  }
}

TEST(FuseScaledProducts, TakesTheAddendOfAGemm) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 16});
  const ValueId weights = b.Op("DequantizeLinear", {Stored(b, Shape({8, 16})), b.Scalar(0.1f)});
  Graph graph = b.Build({b.Op("Gemm", {Activation(b, x), weights, b.Weights(Shape({8}))},
                              MakeAttributes({{"transB", int64_t{1}}}))});
  ExpectSameAnswers(FuseScaledProducts, graph, {RandomTensor(Shape({3, 16}))}, 1, WithProducts());
  EXPECT_EQ(graph.num_nodes(), 2);
}

TEST(FuseScaledProducts, ReadsScalesOfSixteenBitsAsFloats) {
  GraphBuilder b;
  const DType half = DType::kFloat16;
  const ValueId x = b.Input("x", {3, 16}, kE4m3);
  const ValueId scale = b.Input("scale", SymbolicShape(Shape()), half);
  const ValueId constant = b.graph().AddConstant("", ValuesAs(half, Shape(), {0.25}));
  const ValueId left = b.Op("DequantizeLinear", {x, scale});
  const ValueId right = b.Op("DequantizeLinear", {Stored(b, Shape({16, 8})), constant});
  Graph graph = b.Build({b.Op("Cast", {b.Op("MatMul", {left, right})},
                              MakeAttributes({{"to", static_cast<int64_t>(DType::kFloat32)}}))});
  std::vector<double> values;
  for (int i = 0; i < 48; ++i) values.push_back(i % 5 - 2);
  const std::vector<Tensor> inputs = {ValuesAs(kE4m3, Shape({3, 16}), values),
                                      ValuesAs(half, Shape(), {0.5})};
  ExpectSameAnswers(FuseScaledProducts, graph, inputs, 1, WithProducts());
  EXPECT_EQ(CountOps(graph, "DequantizeLinear"), 0);
}

TEST(FuseScaledProducts, LeavesOthersAlone) {
  const auto changes = [](ValueId (*left)(GraphBuilder&, ValueId), ValueId (*right)(GraphBuilder&),
                          const Attributes& attributes = {}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {8, 8});
    const std::string op = attributes.values().empty() ? "MatMul" : "Gemm";
    Graph graph = b.Build({b.Op(op, {left(b, x), right(b)}, attributes)});
    return RunPass(FuseScaledProducts, graph, WithProducts());
  };
  const auto activation = [](GraphBuilder& b, ValueId x) { return Activation(b, x); };
  const auto weights = [](GraphBuilder& b) {
    return b.Op("DequantizeLinear", {Stored(b, Shape({8, 8})), b.Scalar(0.1f)});
  };
  EXPECT_EQ(changes(activation, weights), 1);
  EXPECT_EQ(changes([](GraphBuilder&, ValueId x) { return x; }, weights), 0);
  EXPECT_EQ(changes([](GraphBuilder& b, ValueId x) { return Activation(b, x, 1); }, weights), 0);
  const auto by_column = [](GraphBuilder& b) {
    return b.Op("DequantizeLinear", {Stored(b, Shape({8, 8})), b.Weights(Shape({8}))});
  };
  EXPECT_EQ(changes(activation, by_column), 0);
  const auto integers = [](GraphBuilder& b) {
    return b.Op("DequantizeLinear", {Stored(b, Shape({8, 8}), DType::kInt8), b.Scalar(0.1f)});
  };
  EXPECT_EQ(changes(activation, integers), 0);
  EXPECT_EQ(changes(activation, weights, MakeAttributes({{"alpha", 2.0f}})), 0);
  EXPECT_EQ(changes(activation, weights, MakeAttributes({{"transA", int64_t{1}}})), 0);
}

TEST(FuseScaledProducts, NeedsAProviderThatHasSuchProducts) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 16});
  const ValueId weights = b.Op("DequantizeLinear", {Stored(b, Shape({16, 8})), b.Scalar(0.1f)});
  Graph graph = b.Build({b.Op("MatMul", {Activation(b, x), weights})});
  EXPECT_EQ(RunPass(FuseScaledProducts, graph), 0);
}

}  // namespace
}  // namespace inferd
