#include "engine/plan/kernel_choices.h"

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

using testing::GraphBuilder;

Attributes Text(const std::string& text) {
  Attributes attributes;
  attributes.Set("auto_pad", text);
  return attributes;
}

std::string KeyOfProduct(const Shape& x, const Shape& w, DType dtype = DType::kFloat32) {
  GraphBuilder b;
  const ValueId input = b.Input("x", x, dtype);
  const ValueId weights = dtype == DType::kFloat32 ? b.Weights(w) : b.Input("w", w, dtype);
  const Graph graph = b.Build({b.Op("MatMul", {input, weights})});
  return StepKey(graph, graph.node(0), "cpu", 1);
}

TEST(KernelChoices, KnowEqualLayersByOneKey) {
  EXPECT_EQ(KeyOfProduct({2, 3}, {3, 4}), KeyOfProduct({2, 3}, {3, 4}));
  EXPECT_NE(KeyOfProduct({2, 3}, {3, 4}), KeyOfProduct({5, 3}, {3, 4}));
  EXPECT_NE(KeyOfProduct({2, 3}, {3, 4}), KeyOfProduct({2, 3}, {3, 4}, DType::kFloat64));
}

TEST(KernelChoices, TellEverythingApartThatAMeasurementDependsOn) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3});
  Graph graph = b.Build({b.Op("MatMul", {x, b.Weights(Shape({3, 4}))})});
  const std::string plain = StepKey(graph, graph.node(0), "cpu", 1);
  EXPECT_NE(plain, StepKey(graph, graph.node(0), "cpu", 2));
  EXPECT_NE(plain, StepKey(graph, graph.node(0), "cuda", 1));
  graph.node(0).epilogue.push_back({&OpRegistry::Builtin().Get("", "Relu")});
  const std::string with_relu = StepKey(graph, graph.node(0), "cpu", 1);
  EXPECT_NE(plain, with_relu);
  graph.value(graph.node(0).outputs[0]).layout = Layout::kChannelsLast;
  EXPECT_NE(with_relu, StepKey(graph, graph.node(0), "cpu", 1));
}

TEST(KernelChoices, ComeBackFromTheirText) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 1, 4, 4});
  Graph graph = b.Build({b.Op("Conv", {x, b.Weights(Shape({1, 1, 3, 3}))})});
  graph.node(0).attributes = Text("two\nlines\tand a tab");
  const std::string key = StepKey(graph, graph.node(0), "cpu", 1);
  KernelChoices choices;
  choices.Set(key, "winograd 4");
  choices.Set("other", "direct");
  KernelChoices again;
  EXPECT_TRUE(again.empty());
  ASSERT_TRUE(again.AddText(choices.ToText()).ok());
  EXPECT_EQ(again.Find(key), "winograd 4");
  EXPECT_EQ(again.Find("unknown"), "");
  EXPECT_EQ(again.ToText(), choices.ToText());
}

TEST(KernelChoices, RefuseATextThatIsNoneOfTheirs) {
  KernelChoices choices;
  for (const char* text : {"direct", "\tkey", "direct\t", "direct\tkey\nnothing"}) {
    EXPECT_EQ(choices.AddText(text).code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(choices.empty());
}

}  // namespace
}  // namespace inferd
