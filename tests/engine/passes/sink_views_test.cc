#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

ValueId Ints(GraphBuilder& b, std::vector<int64_t> values) {
  const Shape shape({static_cast<int64_t>(values.size())});
  return b.Constant<int64_t>(shape, std::move(values));
}

testing::FakePassContext InBfloat16() {
  testing::FakePassContext context = testing::SupportsEverything();
  context.config.precision = Precision::kBfloat16;
  return context;
}

void ExpectSameAnswers(absl::StatusOr<int> (*pass)(Graph&, const PassContext&), Graph& graph,
                       const std::vector<Tensor>& inputs, int changes) {
  testing::ExpectSameAnswers(pass, graph, inputs, changes, InBfloat16());
}

// The operator that makes the value.
absl::string_view MakerOf(const Graph& graph, ValueId value) {
  return graph.node(graph.value(value).producer).op->name;
}

TEST(SinkViews, PutsBiasActivationAndResidualBeforeTheView) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 4});
  const ValueId residual = b.Input("residual", {2, 3, 5});
  const ValueId product = b.Op("Gemm", {x, b.Weights(Shape({4, 5}))});
  const ValueId view = b.Op("Reshape", {product, Ints(b, {2, 3, 5})});
  const ValueId active = b.Op("Gelu", {b.Op("Add", {b.Weights(Shape({5})), view})});
  Graph graph = b.Build({b.Op("Sub", {residual, b.Op("Mul", {active, b.Scalar(0.5f)})})});
  ExpectSameAnswers(SinkViews, graph,
                    {RandomTensor(Shape({6, 4})), RandomTensor(Shape({2, 3, 5}), 2)}, 4);
  EXPECT_EQ(MakerOf(graph, graph.outputs()[0]), "Reshape");
  // One of the product, one of the residual.
  EXPECT_EQ(CountOps(graph, "Reshape"), 2);
}

TEST(SinkViews, LetsTheEpilogueHaveThem) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 4});
  const ValueId product = b.Op("Gemm", {x, b.Weights(Shape({4, 5}))});
  Graph graph = b.Build({b.Op("Gelu", {b.Op("Reshape", {product, Ints(b, {2, 3, 5})})})});
  ExpectSameAnswers(SinkViews, graph, {RandomTensor(Shape({6, 4}))}, 1);
  EXPECT_EQ(RunPass(FuseEpilogues, graph, InBfloat16()), 1);
  EXPECT_EQ(CountOps(graph, "Gelu"), 0);
}

TEST(SinkViews, LeavesProductsOfFloats) {
  GraphBuilder b;
  const ValueId product = b.Op("Gemm", {b.Input("x", {6, 4}), b.Weights(Shape({4, 5}))});
  Graph graph = b.Build({b.Op("Gelu", {b.Op("Reshape", {product, Ints(b, {2, 3, 5})})})});
  EXPECT_EQ(RunPass(SinkViews, graph, testing::SupportsEverything()), 0);
}

TEST(SinkViews, LeavesAValueThatIsAddedToItself) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 5}))});
  const ValueId view = b.Op("Reshape", {product, Ints(b, {2, 3, 5})});
  Graph graph = b.Build({b.Op("Add", {view, view})});
  // Two uses: it stays as it is.
  ExpectSameAnswers(SinkViews, graph, {RandomTensor(Shape({6, 4}))}, 0);
}

TEST(SinkViews, LeavesOperandsThatBroadcastOtherwise) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 4});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 6}))});
  const ValueId view = b.Op("Reshape", {product, Ints(b, {2, 3, 6})});
  const ValueId by_row = b.Op("Add", {view, b.Weights(Shape({3, 1}))});
  // The last axis is another one.
  const ValueId halves =
      b.Op("Reshape", {b.Op("MatMul", {by_row, b.Weights(Shape({6, 4}))}), Ints(b, {2, 3, 2, 2})});
  Graph graph = b.Build({b.Op("Add", {halves, b.Weights(Shape({2}))})});
  ExpectSameAnswers(SinkViews, graph, {RandomTensor(Shape({6, 4}))}, 0);
}

TEST(SinkViews, LeavesAViewThatOthersReadOrThatGrows) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId wide = b.Input("wide", {2, 3, 5});
  const ValueId product = b.Op("MatMul", {x, b.Weights(Shape({4, 5}))});
  const ValueId view = b.Op("Unsqueeze", {product, Ints(b, {0})});
  Graph graph = b.Build({b.Op("Add", {view, wide})});
  ExpectSameAnswers(SinkViews, graph,
                    {RandomTensor(Shape({3, 4})), RandomTensor(Shape({2, 3, 5}), 2)}, 0);
}

TEST(SinkViews, TakesATransposeOfSizeOneForAView) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {6, 4});
  const ValueId residual = b.Input("residual", {1, 6, 5});
  const ValueId product = b.Op("Gemm", {x, b.Weights(Shape({4, 5}))});
  Attributes attributes;
  attributes.Set("perm", std::vector<int64_t>{1, 0, 2});
  const ValueId turned =
      b.Op("Transpose", {b.Op("Reshape", {product, Ints(b, {6, 1, 5})})}, attributes);
  Graph graph = b.Build({b.Op("Add", {turned, residual})});
  ExpectSameAnswers(SinkViews, graph,
                    {RandomTensor(Shape({6, 4})), RandomTensor(Shape({1, 6, 5}), 2)}, 2);
  EXPECT_EQ(CountOps(graph, "Transpose"), 0);
  EXPECT_EQ(MakerOf(graph, graph.outputs()[0]), "Reshape");
}

TEST(SinkViews, KeepsATransposeThatMovesElements) {
  GraphBuilder b;
  Attributes attributes;
  attributes.Set("perm", std::vector<int64_t>{1, 0, 2});
  Graph graph = b.Build({b.Op("Transpose", {b.Input("x", {6, 2, 5})}, attributes)});
  ExpectSameAnswers(SinkViews, graph, {RandomTensor(Shape({6, 2, 5}))}, 0);
}

}  // namespace
}  // namespace inferd
