#include "engine/onnx/map_outputs.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Names = std::vector<std::string>;

// scores -> Relu -> ZipMap -> output "maps".
Graph Zipped(Attributes labels) {
  GraphBuilder builder;
  const ValueId scores = builder.Op("Relu", {builder.Input("x", {builder.Symbol("n"), Dim(2)})});
  Graph& graph = builder.graph();
  Node node;
  node.op = &OpRegistry::Builtin().Get("ai.onnx.ml", "ZipMap");
  node.inputs = {scores};
  node.outputs = {graph.AddValue("")};
  node.attributes = std::move(labels);
  const ValueId maps = node.outputs[0];
  graph.AddNode(std::move(node));
  Graph built = builder.Build({maps, scores});
  built.SetOutputNames({"maps", "scores"});
  return built;
}

Attributes NamesOf(Names names) {
  Attributes attributes;
  attributes.Set("classlabels_strings", std::move(names));
  return attributes;
}

TEST(ReplaceMapOutputs, GivesTheScoresUnderTheMapsName) {
  Graph graph = Zipped(NamesOf({"honest", "fraud"}));
  const auto classes = ReplaceMapOutputs(graph);
  ASSERT_EQ(classes.size(), 1u);
  EXPECT_THAT(classes.at("maps"), ElementsAre("honest", "fraud"));
  EXPECT_EQ(graph.outputs()[0], graph.outputs()[1]);
  EXPECT_EQ(graph.output_name(0), "maps");
  graph.RemoveDeadNodes();
  ASSERT_TRUE(graph.SortAndCompact().ok());
  EXPECT_EQ(CountOps(graph, "ZipMap"), 0);
  EXPECT_TRUE(graph.Verify().ok());
}

TEST(ReplaceMapOutputs, WritesNumbersAsText) {
  Attributes attributes;
  attributes.Set("classlabels_int64s", std::vector<int64_t>{-1, 7});
  Graph graph = Zipped(std::move(attributes));
  EXPECT_THAT(ReplaceMapOutputs(graph).at("maps"), ElementsAre("-1", "7"));
}

TEST(ReplaceMapOutputs, LeavesMapsWhoseClassesAreNoText) {
  for (const Attributes& labels : {NamesOf({"a", "\xff"}), NamesOf({})}) {
    Graph graph = Zipped(labels);
    EXPECT_THAT(ReplaceMapOutputs(graph), IsEmpty());
    EXPECT_NE(graph.outputs()[0], graph.outputs()[1]);
  }
}

}  // namespace
}  // namespace inferd::testing
