#include "engine/onnx/graph_builder.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/onnx/importer.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::AddNode;
using testing::AddValue;
using testing::ModelBuilder;
using testing::SetGraph;
using testing::SetInt;
using testing::SetReference;

absl::StatusOr<ImportedModel> Import(const ModelBuilder& model) {
  return ImportOnnxBytes(model.Bytes(), "", 64 << 20);
}

void ExpectError(const ModelBuilder& model, const std::vector<std::string>& parts) {
  const auto imported = Import(model);
  ASSERT_FALSE(imported.ok());
  for (const std::string& part : parts) {
    EXPECT_NE(imported.status().message().find(part), absl::string_view::npos)
        << "no '" << part << "' in: " << imported.status().message();
  }
}

// y = If(cond) { Add(x, w) } else { Relu(x) }, w an initializer of the outer graph.
ModelBuilder IfModel() {
  ModelBuilder model;
  model.Input("cond", DType::kBool, {});
  model.Input("x", DType::kFloat32, {2});
  model.Input("z", DType::kFloat32, {2});
  model.Floats("w", {2}, {1, 2});
  auto& node = model.Node("If", {"cond"}, {"y"});
  node.set_name("choice");
  auto& then_branch = SetGraph(node, "then_branch");
  AddNode(then_branch, "Add", {"x", "w"}, {"a"});
  AddNode(then_branch, "Add", {"a", "z"}, {"b"});
  then_branch.add_output()->set_name("b");
  auto& else_branch = SetGraph(node, "else_branch");
  AddNode(else_branch, "Relu", {"x"}, {"c"});
  else_branch.add_output()->set_name("c");
  model.Output("y");
  return model;
}

TEST(GraphBuilder, PassesCapturesToBothBranches) {
  const auto imported = Import(IfModel());
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Graph& graph = imported->graph;
  ASSERT_EQ(graph.num_nodes(), 1);
  const Node& node = graph.node(0);
  // The condition, then x and z; w is a constant inside of the branch.
  ASSERT_EQ(node.inputs.size(), 3u);
  EXPECT_EQ(graph.value(node.inputs[1]).name, "x");
  EXPECT_EQ(graph.value(node.inputs[2]).name, "z");
  for (const char* branch : {"then_branch", "else_branch"}) {
    const Graph& body = *node.subgraphs.at(branch);
    ASSERT_EQ(body.inputs().size(), 2u) << branch;
    EXPECT_EQ(body.value(body.inputs()[0]).name, "x");
    EXPECT_EQ(body.value(body.inputs()[1]).name, "z");
    EXPECT_TRUE(body.Verify().ok());
  }
  const Graph& then_branch = *node.subgraphs.at("then_branch");
  EXPECT_NE(then_branch.constant(then_branch.node(0).inputs[1]), nullptr);
  EXPECT_EQ(graph.value(node.outputs[0]).type.dtype, DType::kFloat32);
}

TEST(GraphBuilder, PassesCapturesThroughNestedSubgraphs) {
  ModelBuilder model;
  model.Input("cond", DType::kBool, {});
  model.Input("x", DType::kFloat32, {2});
  auto& outer = model.Node("If", {"cond"}, {"y"});
  for (const char* name : {"then_branch", "else_branch"}) {
    auto& branch = SetGraph(outer, name);
    auto& inner = AddNode(branch, "If", {"cond"}, {"r"});
    for (const char* inner_name : {"then_branch", "else_branch"}) {
      auto& leaf = SetGraph(inner, inner_name);
      AddNode(leaf, "Relu", {"x"}, {"leaf"});
      leaf.add_output()->set_name("leaf");
    }
    branch.add_output()->set_name("r");
  }
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Node& node = imported->graph.node(0);
  EXPECT_EQ(node.inputs.size(), 3u);  // cond, and captured: cond and x
  const Graph& branch = *node.subgraphs.at("then_branch");
  EXPECT_EQ(branch.node(0).inputs.size(), 2u);  // cond, and captured: x
}

ModelBuilder LoopModel() {
  ModelBuilder model;
  model.Input("n", DType::kInt64, {});
  model.Input("x", DType::kFloat32, {2});
  model.Input("step", DType::kFloat32, {2});
  auto& node = model.Node("Loop", {"n", "", "x"}, {"y"});
  node.set_name("repeat");
  auto& body = SetGraph(node, "body");
  AddValue(body.mutable_input(), "i", DType::kInt64, {});
  AddValue(body.mutable_input(), "go", DType::kBool, {});
  AddValue(body.mutable_input(), "state", DType::kFloat32, {2});
  AddNode(body, "Add", {"state", "step"}, {"next"});
  for (const char* name : {"go", "next"}) body.add_output()->set_name(name);
  model.Output("y");
  return model;
}

TEST(GraphBuilder, AlignsALoopWithItsBody) {
  const auto imported = Import(LoopModel());
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Node& node = imported->graph.node(0);
  const Graph& body = *node.subgraphs.at("body");
  ASSERT_EQ(node.inputs.size(), 4u);
  EXPECT_EQ(node.inputs[1], kNoValue);
  EXPECT_EQ(body.inputs().size(), 4u);
  EXPECT_EQ(body.value(body.inputs()[3]).name, "step");
  EXPECT_FALSE(body.value(body.inputs()[2]).type.shape.has_rank());
}

TEST(GraphBuilder, GivesUndeclaredBodyInputsTheTypesPassed) {
  ModelBuilder model = LoopModel();
  auto& body = *model.graph().mutable_node(0)->mutable_attribute(0)->mutable_g();
  for (auto& input : *body.mutable_input()) input.clear_type();
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Node& node = imported->graph.node(0);
  const Graph& built = *node.subgraphs.at("body");
  EXPECT_EQ(built.value(built.inputs()[0]).type.dtype, DType::kInt64);
  EXPECT_EQ(built.value(built.inputs()[1]).type.dtype, DType::kBool);
  EXPECT_EQ(built.value(built.inputs()[2]).type.dtype, DType::kFloat32);
  EXPECT_EQ(imported->graph.value(node.outputs[0]).type.dtype, DType::kFloat32);
}

TEST(GraphBuilder, ChecksWhatBodiesTakeAndGive) {
  ModelBuilder inputs = LoopModel();
  inputs.graph().mutable_node(0)->add_input("x");
  ExpectError(inputs, {"node 'repeat'", "subgraph body has 3 inputs; the node needs 4"});
  ModelBuilder outputs = LoopModel();
  outputs.graph().mutable_node(0)->add_output("more");
  ExpectError(outputs, {"node 'repeat'", "2 outputs; its subgraph body makes 1"});
  ModelBuilder undefined = IfModel();
  undefined.graph().mutable_node(0)->mutable_attribute(0)->mutable_g()->mutable_node(0)->set_input(
      0, "nobody");
  ExpectError(undefined, {"node 'choice'", "subgraph 'then_branch'", "reads 'nobody'"});
  ModelBuilder no_else = IfModel();
  no_else.graph().mutable_node(0)->mutable_attribute()->RemoveLast();
  ExpectError(no_else, {"node 'choice'", "else_branch", "missing"});
}

// Function "Twice": b = Add(a, a) where a = Relu(input).
ModelBuilder CallModel() {
  ModelBuilder model;
  model.Import("test", 1);
  model.Input("x", DType::kFloat32, {2});
  auto& function = model.Function("Twice", {"in"}, {"out"});
  AddNode(function, "Relu", {"in"}, {"a"});
  AddNode(function, "Add", {"a", "a"}, {"out"});
  model.Node("Twice", {"x"}, {"h"}).set_domain("test");
  auto& second = model.Node("Twice", {"h"}, {"y"});
  second.set_domain("test");
  second.set_name("call");
  model.Output("y");
  return model;
}

TEST(GraphBuilder, InlinesFunctionsWithUniqueNames) {
  const auto imported = Import(CallModel());
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Graph& graph = imported->graph;
  ASSERT_EQ(graph.num_nodes(), 4);
  EXPECT_NE(graph.value(graph.node(0).outputs[0]).name, graph.value(graph.node(2).outputs[0]).name);
  EXPECT_EQ(graph.value(graph.node(1).outputs[0]).name, "h");
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
}

TEST(GraphBuilder, ResolvesAttributeReferences) {
  ModelBuilder model;
  model.Import("test", 1);
  model.Input("x", DType::kFloat32, {2, 3, 4});
  auto& function = model.Function("MyFlatten", {"in"}, {"out"});
  function.add_attribute("at");
  SetReference(AddNode(function, "Flatten", {"in"}, {"out"}), "axis", "at",
               ::onnx::AttributeProto::INT);
  auto& with = model.Node("MyFlatten", {"x"}, {"h"});
  with.set_domain("test");
  SetInt(with, "at", 2);
  model.Node("MyFlatten", {"h"}, {"y"}).set_domain("test");
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.node(0).attributes.Int("axis", -9), 2);
  EXPECT_FALSE(imported->graph.node(1).attributes.Has("axis"));
}

TEST(GraphBuilder, ReadsFieldsNewerThanTheProtobufClasses) {
  ModelBuilder model;
  model.Import("test", 1);
  model.Input("x", DType::kFloat32, {2, 3, 4});
  auto& function = model.Function("MyFlatten", {"in"}, {"out"});
  SetReference(AddNode(function, "Flatten", {"in"}, {"out"}), "axis", "at",
               ::onnx::AttributeProto::INT);
  ::onnx::AttributeProto with_default;  // attribute_proto
  with_default.set_name("at");
  with_default.set_type(::onnx::AttributeProto::INT);
  with_default.set_i(2);
  function.mutable_unknown_fields()->AddLengthDelimited(11, with_default.SerializeAsString());
  function.mutable_unknown_fields()->AddLengthDelimited(13, "v2");  // overload
  auto& node = model.Node("MyFlatten", {"x"}, {"y"});
  node.set_domain("test");
  model.Output("y");
  ExpectError(model, {"operator 'MyFlatten'"});
  node.mutable_unknown_fields()->AddLengthDelimited(8, "v2");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.node(0).attributes.Int("axis", -9), 2);
}

TEST(GraphBuilder, RefusesFunctionsThatCallThemselves) {
  ModelBuilder model;
  model.Import("test", 1);
  model.Input("x", DType::kFloat32, {2});
  auto& function = model.Function("Again", {"in"}, {"out"});
  AddNode(function, "Again", {"in"}, {"out"}).set_domain("test");
  model.Node("Again", {"x"}, {"y"}).set_domain("test");
  model.Output("y");
  ExpectError(model, {"function 'Again' calls itself"});
}

TEST(GraphBuilder, RefusesFunctionsThatMultiplyWithoutEnd) {
  ModelBuilder model;
  model.Import("test", 1);
  model.Input("x", DType::kFloat32, {2});
  for (int level = 0; level < 30; ++level) {
    auto& function = model.Function("F" + std::to_string(level), {"in"}, {"out"});
    function.add_opset_import()->set_domain("test");
    const std::string callee = level == 0 ? "Relu" : "F" + std::to_string(level - 1);
    auto& first = AddNode(function, callee, {"in"}, {"half"});
    auto& second = AddNode(function, callee, {"half"}, {"out"});
    first.set_domain(level == 0 ? "" : "test");
    second.set_domain(level == 0 ? "" : "test");
  }
  model.Node("F29", {"x"}, {"y"}).set_domain("test");
  model.Output("y");
  const auto imported = Import(model);
  EXPECT_EQ(imported.status().code(), absl::StatusCode::kResourceExhausted) << imported.status();
}

TEST(GraphBuilder, ChecksCalls) {
  ModelBuilder inputs = CallModel();
  inputs.graph().mutable_node(1)->add_input("x");
  ExpectError(inputs, {"node 'call'", "2 inputs and 1 outputs; function 'Twice' has 1 and 1"});
  ModelBuilder attribute = CallModel();
  SetInt(*attribute.graph().mutable_node(1), "speed", 3);
  ExpectError(attribute, {"function 'Twice' has no attribute 'speed'"});
  ModelBuilder output = CallModel();
  output.proto().mutable_functions(0)->set_output(0, "gone");
  ExpectError(output, {"function 'Twice' does not make its output 'gone'"});
  ModelBuilder twice = CallModel();
  *twice.proto().add_functions() = twice.proto().functions(0);
  ExpectError(twice, {"function 'Twice'", "defined twice"});
}

}  // namespace
}  // namespace inferd
