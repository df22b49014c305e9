#include "engine/graph/graph.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using ::inferd::testing::CountOps;
using ::inferd::testing::GraphBuilder;
using ::testing::HasSubstr;

TEST(Graph, NamesTheNodeOnACycle) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId a = builder.Op("Relu", {x});
  const ValueId b = builder.Op("Relu", {a});
  Graph& graph = builder.graph();
  graph.node(graph.value(a).producer).inputs[0] = b;
  graph.MarkOutput(b);
  const absl::Status status = graph.SortAndCompact();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("Relu0"));
}

TEST(Graph, SortsNodesThatComeBeforeWhatTheyRead) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId late = builder.graph().AddValue("late");
  Node reader;
  reader.op = &OpRegistry::Builtin().Get("", "Relu");
  reader.inputs = {late};
  reader.outputs = {builder.graph().AddValue("y")};
  const ValueId y = reader.outputs[0];
  builder.graph().AddNode(std::move(reader));
  Node producer;
  producer.op = &OpRegistry::Builtin().Get("", "Relu");
  producer.inputs = {x};
  producer.outputs = {late};
  builder.graph().AddNode(std::move(producer));
  const Graph graph = builder.Build({y});
  EXPECT_EQ(graph.node(0).outputs[0], late);
}

TEST(Graph, DropsNodesThatReachNoOutput) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId used = builder.Op("Relu", {x});
  builder.Op("Relu", {builder.Op("Relu", {used})});
  Graph graph = builder.Build({used});
  EXPECT_EQ(graph.RemoveDeadNodes(), 2);
  EXPECT_EQ(CountOps(graph, "Relu"), 1);
}

TEST(Graph, KeepsOutputNamesWhenAnotherValueFeedsTheOutput) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId y = builder.Op("Relu", {x});
  Graph graph = builder.Build({y});
  graph.SetOutputNames({"answer"});
  graph.ReplaceUses(y, x);
  EXPECT_EQ(graph.outputs()[0], x);
  EXPECT_EQ(graph.output_name(0), "answer");
}

TEST(Graph, PrintsOneLineANode) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {builder.Symbol("batch"), 3});
  const Graph graph = builder.Build({builder.Op("Relu", {x})});
  EXPECT_EQ(graph.ToString(),
            "graph \n"
            "  input %0 float32[s0,3]  # x\n"
            "  %1 float32[s0,3] = Relu(%0)  # Relu0\n"
            "  output %1 float32[s0,3]  # _1\n");
}

TEST(Graph, VerifyNamesANodeThatReadsAValueBeforeItIsMade) {
  GraphBuilder builder;
  const ValueId x = builder.Input("x", {2});
  const ValueId y = builder.Op("Relu", {x});
  Graph graph = builder.Build({y});
  graph.node(0).inputs[0] = graph.AddValue("never_made");
  EXPECT_THAT(std::string(graph.Verify().message()), HasSubstr("never_made"));
}

}  // namespace
}  // namespace inferd
