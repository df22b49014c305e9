#include "engine/plan/binder.h"

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

}  // namespace
}  // namespace inferd
