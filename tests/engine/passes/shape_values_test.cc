#include "engine/passes/shape_values.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;

TEST(ShapeValues, NamesDimensionsThatHaveNoName) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {Dim::Unknown(), 4});
  const ValueId shape = b.Op("Shape", {b.Op("Relu", {x})});
  Graph graph = b.Build({shape});
  ShapeValues values(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) ASSERT_TRUE(values.Visit(id).ok());
  const KnownElements* elements = values.Find(shape);
  ASSERT_NE(elements, nullptr);
  EXPECT_TRUE((*elements)[0].ToDim().SameAs(graph.value(x).type.shape[0]));
  EXPECT_TRUE((*elements)[1].IsNumber(4));
}

TEST(ShapeValues, KeepsWhatWasKnownBefore) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("n"), 4});
  const ValueId y = b.Op("NonZero", {x});
  Graph graph = b.Build({y});
  graph.value(y).type.shape[1] = Dim(9);
  ShapeValues values(graph);
  ASSERT_TRUE(values.Visit(0).ok());
  EXPECT_TRUE(graph.value(y).type.shape[1].Is(9));
}

}  // namespace
}  // namespace inferd
