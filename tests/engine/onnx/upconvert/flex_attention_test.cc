#include <gtest/gtest.h>

#include <string>

#include "engine/onnx/importer.h"
#include "tests/support/model_builder.h"
#include "tests/support/op_case.h"
#include "tests/support/run_graph.h"

namespace inferd::testing {
namespace {

// Two query heads over `kv_heads`; score_mod adds "added", a value of the outer graph.
ModelBuilder FlexModel(int64_t kv_heads, std::vector<int64_t> q_dims = {1, 2, 1, 1}) {
  ModelBuilder model;
  model.Import("ai.onnx.preview", 1);
  model.Input("q", DType::kFloat32, q_dims);
  model.Input("k", DType::kFloat32, {1, kv_heads, 2, 1});
  model.Input("v", DType::kFloat32, {1, kv_heads, 2, 1});
  model.Input("added", DType::kFloat32, {2});
  auto& node = model.Node("FlexAttention", {"q", "k", "v"}, {"y"});
  node.set_domain("ai.onnx.preview");
  auto& score_mod = SetGraph(node, "score_mod");
  AddValue(score_mod.mutable_input(), "scores", DType::kFloat32, {1, 2, 1, 2});
  AddNode(score_mod, "Add", {"scores", "added"}, {"changed"});
  score_mod.add_output()->set_name("changed");
  auto& prob_mod = SetGraph(node, "prob_mod");
  AddValue(prob_mod.mutable_input(), "shares", DType::kFloat32, {1, 2, 1, 2});
  AddNode(prob_mod, "Add", {"shares", "shares"}, {"doubled"});
  prob_mod.add_output()->set_name("doubled");
  model.Output("y");
  return model;
}

absl::StatusOr<ImportedModel> Import(const ModelBuilder& model) {
  return ImportOnnxBytes(model.Bytes(), "", 64 << 20);
}

std::vector<Tensor> RunFlex(const ModelBuilder& model, const Shape& q) {
  const auto imported = Import(model);
  EXPECT_TRUE(imported.ok()) << imported.status();
  return RunPortable(imported->graph,
                     {Values<float>(q, {0, 0}), Values<float>({1, 1, 2, 1}, {1, 2}),
                      Values<float>({1, 1, 2, 1}, {3, 5}), Values<float>({2}, {0, 100})});
}

TEST(FlexAttention, PutsItsSubgraphsWithTheirCapturesInLine) {
  const Tensor expected = Values<float>({1, 2, 1, 1}, {10, 10});
  ExpectNear(RunFlex(FlexModel(1), {1, 2, 1, 1})[0], expected, 1e-5f);
  // Heads that are known only when shapes are bound.
  ExpectNear(RunFlex(FlexModel(1, {1, -1, 1, -1}), {1, 2, 1, 1})[0], expected, 1e-5f);
}

TEST(FlexAttention, RefusesWhatDoesNotFit) {
  EXPECT_NE(Import(FlexModel(3)).status().message().find("no multiple of 3"), std::string::npos);
  EXPECT_NE(Import(FlexModel(1, {2, 1, 1})).status().message().find("tensor of rank 4"),
            std::string::npos);
  ModelBuilder model = FlexModel(1);
  auto& body = *model.graph().mutable_node(0)->mutable_attribute(0)->mutable_g();
  AddValue(body.mutable_input(), "more", DType::kFloat32, {});
  EXPECT_NE(Import(model).status().message().find("score_mod has 2 inputs"), std::string::npos)
      << Import(model).status();
}

TEST(Optimizer, ReadsSimplifiedLayerNormalizationOfAnyOpset) {
  ModelBuilder model(12, 7);
  model.Input("x", DType::kFloat32, {1, 2});
  model.Floats("scale", {2}, {1, 2});
  model.Node("SimplifiedLayerNormalization", {"x", "scale"}, {"y", "unused"});
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  ExpectNear(RunPortable(imported->graph, {Values<float>({1, 2}, {1, 1})})[0],
             Values<float>({1, 2}, {1, 2}), 1e-4f);
}

}  // namespace
}  // namespace inferd::testing
