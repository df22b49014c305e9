#include "engine/core/float16.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::FakePassContext;
using testing::GraphBuilder;

// A provider that runs float32 nodes alone.
FakePassContext SupportsFloat32() {
  FakePassContext context;
  context.providers.push_back(std::make_unique<testing::FakeProvider>(
      [](const Graph& graph, const Node& node) {
        return graph.value(node.inputs[0]).type.dtype == DType::kFloat32;
      },
      [](const Node&) { return LayoutPreference::kRowMajor; }));
  return context;
}

Tensor Halves(const Shape& shape, const std::vector<float>& values) {
  Tensor tensor = Tensor::Allocate(DType::kFloat16, shape).value();
  for (size_t i = 0; i < values.size(); ++i) {
    tensor.mutable_data<Float16>()[i] = static_cast<Float16>(values[i]);
  }
  return tensor;
}

std::vector<float> Floats(const Tensor& halves) {
  std::vector<float> values;
  for (Float16 half : halves.values<Float16>()) values.push_back(static_cast<float>(half));
  return values;
}

TEST(WidenFloat16, RoundsOnlyTheResultOfAChain) {
  // 2048 + 1 is not a float16; 2048 + 1 - 2048 is.
  GraphBuilder b;
  const ValueId x = b.Input("x", {2}, DType::kFloat16);
  const ValueId one = b.graph().AddConstant("", Halves(Shape({2}), {1, 1}));
  const ValueId large = b.graph().AddConstant("", Halves(Shape({2}), {2048, 2048}));
  Graph graph = b.Build({b.Op("Sub", {b.Op("Add", {x, one}), large})});
  const Tensor input = Halves(Shape({2}), {2048, 2048});
  EXPECT_EQ(Floats(testing::RunPortable(graph, {input})[0]), (std::vector<float>{0, 0}));
  EXPECT_EQ(testing::RunPass(WidenFloat16, graph, SupportsFloat32()), 2);
  EXPECT_EQ(CountOps(graph, "Cast"), 2);
  const Tensor output = testing::RunPortable(graph, {input})[0];
  ASSERT_EQ(output.dtype(), DType::kFloat16);
  EXPECT_EQ(Floats(output), (std::vector<float>{1, 1}));
}

TEST(WidenFloat16, ConvertsWeightsOnceAndKeepsAnswers) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3}, DType::kFloat16);
  const ValueId w = b.graph().AddConstant("", Halves(Shape({3, 3}), {1, 2, 3, 4, 5, 6, 7, 8, 9}));
  const ValueId product = b.Op("MatMul", {x, w});
  Graph graph = b.Build({b.Op("MatMul", {product, w}), product});
  const Tensor input = Halves(Shape({2, 3}), {1, 0, 2, 0, 1, 0});
  const std::vector<Tensor> before = testing::RunPortable(graph, {input});
  EXPECT_EQ(testing::RunPass(WidenFloat16, graph, SupportsFloat32()), 2);
  const std::vector<Tensor> after = testing::RunPortable(graph, {input});
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(Floats(after[i]), Floats(before[i]));
}

TEST(WidenFloat16, DropsTheCastThatWidensItsOwnResult) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2}, DType::kFloat16);
  Attributes to_float32;
  to_float32.Set("to", static_cast<int64_t>(DType::kFloat32));
  const ValueId w = b.graph().AddConstant("", Halves(Shape({2}), {-1, -1}));
  Graph graph = b.Build({b.Op("Relu", {b.Op("Cast", {b.Op("Mul", {x, w})}, to_float32)})});
  EXPECT_EQ(testing::RunPass(WidenFloat16, graph, SupportsFloat32()), 2);
  EXPECT_EQ(CountOps(graph, "Cast"), 1);
  const Tensor output = testing::RunPortable(graph, {Halves(Shape({2}), {-3, 4})})[0];
  EXPECT_EQ(output.values<float>()[0], 3);
}

TEST(WidenFloat16, LeavesWhatAProviderRunsAndGraphsWithoutWeights) {
  for (bool weights : {false, true}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2}, DType::kFloat16);
    const ValueId factor =
        b.graph().AddConstant("", weights ? Halves(Shape({2}), {2, 3}) : Halves(Shape(), {2}));
    Graph graph = b.Build({b.Op("Mul", {x, factor})});
    EXPECT_EQ(testing::RunPass(WidenFloat16, graph, testing::SupportsEverything()), 0);
    EXPECT_EQ(testing::RunPass(WidenFloat16, graph), 0);
    EXPECT_EQ(testing::RunPass(WidenFloat16, graph, SupportsFloat32()), weights ? 1 : 0);
  }
}

TEST(WidenFloat16, KeepsRoundingThatTheGraphAsksFor) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  Attributes to_float16, to_float32;
  to_float16.Set("to", static_cast<int64_t>(DType::kFloat16));
  to_float32.Set("to", static_cast<int64_t>(DType::kFloat32));
  const ValueId w = b.graph().AddConstant("", Halves(Shape({2}), {1, 1}));
  const ValueId product = b.Op("Mul", {b.Op("Cast", {x}, to_float16), w});
  Graph graph = b.Build({b.Op("Cast", {product}, to_float32)});
  EXPECT_EQ(testing::RunPass(WidenFloat16, graph, SupportsFloat32()), 1);
  const Tensor input = Tensor::FromValues<float>(Shape({2}), {2049, 2047});
  const Tensor output = testing::RunPortable(graph, {input})[0];
  EXPECT_EQ(output.values<float>()[0], 2048);
  EXPECT_EQ(output.values<float>()[1], 2047);
}

TEST(WidenFloat16, WidensAllButTablesWhereSixteenBitsAreAskedFor) {
  GraphBuilder b;
  Attributes to_float16, to_float32;
  to_float16.Set("to", static_cast<int64_t>(DType::kFloat16));
  to_float32.Set("to", static_cast<int64_t>(DType::kFloat32));
  const ValueId table = b.graph().AddConstant("", Halves(Shape({2, 2}), {1, 2, 3, 4}));
  const ValueId row = b.Op("Gather", {table, b.Input("ids", {2}, DType::kInt64)});
  const ValueId mask = b.Op("Cast", {b.Input("mask", {2}, DType::kInt64)}, to_float16);
  const ValueId rounded =
      b.Op("Cast", {b.Op("Exp", {b.Op("Cast", {row}, to_float32)})}, to_float16);
  const ValueId product = b.Op("MatMul", {rounded, table});
  Graph graph = b.Build({b.Op("Mul", {product, mask})});
  FakePassContext context = testing::SupportsEverything();
  context.config.precision = Precision::kFloat16;
  EXPECT_GT(testing::RunPass(WidenFloat16, graph, context), 0);
  EXPECT_EQ(CountOps(graph, "Cast"), 3);  // of the rows, the mask and the result
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    const DType type = graph.value(node.outputs[0]).type.dtype;
    if (node.op->name == "Cast") continue;
    EXPECT_EQ(type, node.op->name == "Gather" ? DType::kFloat16 : DType::kFloat32) << node.op->name;
  }
}

}  // namespace
}  // namespace inferd
