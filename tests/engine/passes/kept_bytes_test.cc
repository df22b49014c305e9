#include "engine/passes/kept_bytes.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;

constexpr Layout kRows = Layout::kRowMajor;
constexpr Layout kLast = Layout::kChannelsLast;

// Whether a Transpose of [2,3,4,5], or of [2,3,4], keeps its bytes.
bool TransposeKeeps(std::vector<int64_t> perm, Layout from, Layout to) {
  GraphBuilder b;
  const ValueId x = perm.size() == 3 ? b.Input("x", {2, 3, 4}) : b.Input("x", {2, 3, 4, 5});
  Attributes attributes;
  attributes.Set("perm", std::move(perm));
  const Graph graph = b.Build({b.Op("Transpose", {x}, attributes)});
  return KeepsBytes(graph, graph.node(0), from, to);
}

bool ReshapeKeeps(std::vector<int64_t> shape, Layout from, Layout to) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4, 5});
  const auto rank = static_cast<int64_t>(shape.size());
  const ValueId target = b.Constant<int64_t>(Shape({rank}), std::move(shape));
  const Graph graph = b.Build({b.Op("Reshape", {x, target})});
  return KeepsBytes(graph, graph.node(0), from, to);
}

TEST(KeptBytes, TokensAreThePixelsOfChannelsLastValues) {
  EXPECT_TRUE(TransposeKeeps({0, 2, 1}, kRows, kLast));
  EXPECT_TRUE(TransposeKeeps({0, 2, 1}, kLast, kRows));
  EXPECT_TRUE(TransposeKeeps({0, 3, 1, 2}, kRows, kLast));
  EXPECT_TRUE(TransposeKeeps({0, 2, 3, 1}, kLast, kRows));
}

TEST(KeptBytes, OtherOrdersMoveElements) {
  EXPECT_FALSE(TransposeKeeps({0, 2, 1}, kRows, kRows));
  EXPECT_FALSE(TransposeKeeps({0, 2, 1}, kLast, kLast));
  EXPECT_FALSE(TransposeKeeps({2, 1, 0}, kRows, kLast));
  EXPECT_FALSE(TransposeKeeps({0, 2, 3, 1}, kRows, kLast));
  EXPECT_FALSE(TransposeKeeps({0, 3, 1, 2}, kLast, kRows));
  EXPECT_FALSE(TransposeKeeps({0, 1, 3, 2}, kLast, kLast));
}

TEST(KeptBytes, JoiningPixelsKeepsChannelsLast) {
  EXPECT_TRUE(ReshapeKeeps({2, 3, 20}, kLast, kLast));
  EXPECT_TRUE(ReshapeKeeps({2, 3, 2, 2, 5}, kLast, kLast));
  EXPECT_TRUE(ReshapeKeeps({2, 3, 20}, kRows, kRows));
  EXPECT_FALSE(ReshapeKeeps({2, 3, 20}, kLast, kRows));
  EXPECT_FALSE(ReshapeKeeps({2, 60}, kLast, kRows));
  EXPECT_FALSE(ReshapeKeeps({2, 12, 5}, kLast, kLast));
  EXPECT_FALSE(ReshapeKeeps({6, 4, 5}, kLast, kLast));
}

TEST(KeptBytes, AllOrdersOfOnePixelOrOneChannelAreTheSame) {
  EXPECT_TRUE(HasOneOrder(Shape({2, 3, 1, 1})));
  EXPECT_TRUE(HasOneOrder(Shape({2, 1, 4, 5})));
  EXPECT_TRUE(HasOneOrder(Shape({4, 5})));
  EXPECT_FALSE(HasOneOrder(Shape({2, 3, 1, 2})));
}

TEST(KeptBytes, NodesThatComputeKeepNothing) {
  GraphBuilder b;
  const Graph graph = b.Build({b.Op("Relu", {b.Input("x", {2, 3, 4})})});
  EXPECT_FALSE(KeepsBytes(graph, graph.node(0)));
}

TEST(KeptBytes, CountsWhatReordersAndTransposesWrite) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3, 4});
  Attributes attributes;
  attributes.Set("perm", std::vector<int64_t>{0, 2, 1});
  const ValueId moved = b.Op("Transpose", {x}, attributes);
  const ValueId kept = b.Op("Transpose", {x}, attributes);
  Graph graph = b.Build({moved, kept});
  graph.value(kept).layout = kLast;
  EXPECT_EQ(BytesMoved(graph), 2 * 3 * 4 * 4);
}

}  // namespace
}  // namespace inferd
