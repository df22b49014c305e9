#include "engine/plan/binder.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;

TEST(BindShapes, EvaluatesShapeArithmetic) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("length"), 8});
  const ValueId shape = b.Op("Shape", {x});
  const ValueId rows = b.Op("Gather", {shape, b.Constant<int64_t>(Shape({1}), {0})});
  const ValueId target = b.Op("Mul", {rows, b.Constant<int64_t>(Shape({1}), {8})});
  Attributes axis;
  axis.Set("axis", int64_t{0});
  const ValueId full = b.Op("Concat", {target, b.Constant<int64_t>(Shape({1}), {-1})}, axis);
  const Graph graph = b.Build({b.Op("Reshape", {x, full})});
  const Shape shapes[] = {Shape({2, 5, 8})};
  const Graph bound = BindShapes(graph, shapes).value();
  EXPECT_EQ(bound.num_nodes(), 1);
  EXPECT_EQ(bound.value(bound.outputs()[0]).type.shape.ToString(), "[16,5]");
}

TEST(BindShapes, NamesTheNodeWhoseShapesDoNotFit) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("n"), b.Symbol("m")});
  const Graph graph = b.Build({b.Op("Add", {x, b.Weights(Shape({3}))})});
  const Shape shapes[] = {Shape({2, 4})};
  const absl::Status status = BindShapes(graph, shapes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("Add0"));
}

TEST(BindShapes, RefusesShapesThatOverflow) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("n")});
  const ValueId target = b.Input("target", {b.Symbol("rank")}, DType::kInt64);
  Graph graph = b.Build({b.Op("Expand", {x, target})});
  graph.SetConstant(target,
                    Tensor::FromValues<int64_t>(Shape({1}), {std::numeric_limits<int64_t>::max()}));
  const Shape shapes[] = {Shape({1}), Shape({1})};
  const absl::Status status = BindShapes(graph, shapes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("Expand0"));
}

TEST(BindShapes, DoesNotWalkTheHugeDimensionsOfEmptyValues) {
  GraphBuilder b;
  const ValueId x = b.graph().AddConstant(
      "x", Tensor::Allocate(DType::kFloat32, Shape({1, int64_t{1} << 31, 0})).value());
  Attributes size;
  size.Set("size", int64_t{3});
  const Graph graph = b.Build({b.Op("LRN", {x}, size)});
  EXPECT_EQ(BindShapes(graph, {}).value().num_nodes(), 0);
}

TEST(BindShapes, LeavesAResizeOpenWhoseSizesComeLater) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId sizes = b.Input("sizes", {1}, DType::kInt64);
  const ValueId scales = b.Constant<float>(Shape({1}), {3});
  const Graph graph = b.Build({b.Op("Resize", {x, kNoValue, scales, sizes})});
  const Shape shapes[] = {Shape({2}), Shape({1})};
  const Graph bound = BindShapes(graph, shapes).value();
  EXPECT_FALSE(bound.value(bound.outputs()[0]).type.shape.IsConcrete());
}

}  // namespace
}  // namespace inferd
