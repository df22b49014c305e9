#include "engine/onnx/importer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/graph/op_def.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using testing::AddNode;
using testing::ModelBuilder;
using testing::ReluModel;
using testing::SetFloat;
using testing::SetGraph;
using testing::SetInt;
using testing::SetInts;
using testing::SetReference;

constexpr int64_t kLimit = 64 << 20;

absl::StatusOr<ImportedModel> Import(const ModelBuilder& model) {
  return ImportOnnxBytes(model.Bytes(), "", kLimit);
}

// The message of an import that must fail, checked to contain all `parts`.
void ExpectError(const std::string& bytes, const std::vector<std::string>& parts) {
  const auto model = ImportOnnxBytes(bytes, "", kLimit);
  ASSERT_FALSE(model.ok());
  for (const std::string& part : parts) {
    EXPECT_NE(model.status().message().find(part), absl::string_view::npos)
        << "no '" << part << "' in: " << model.status().message();
  }
}
void ExpectError(const ModelBuilder& model, const std::vector<std::string>& parts) {
  ExpectError(model.Bytes(), parts);
}

TEST(Importer, BuildsTheGraph) {
  ModelBuilder model;
  model.NamedInput("x", DType::kFloat32, {"batch", "3"});
  model.Node("Relu", {"x"}, {"y"}).set_name("act");
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Graph& graph = imported->graph;
  EXPECT_EQ(graph.num_nodes(), 1);
  EXPECT_EQ(graph.node(0).op->name, "Relu");
  EXPECT_EQ(graph.node(0).name, "act");
  ASSERT_EQ(graph.inputs().size(), 1u);
  const ValueType& type = graph.value(graph.inputs()[0]).type;
  EXPECT_EQ(graph.symbols()[type.shape[0].symbol], "batch");
  EXPECT_EQ(graph.output_name(0), "y");
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DType::kFloat32);
  EXPECT_TRUE(graph.Verify().ok());
}

TEST(Importer, KeepsMetadata) {
  ModelBuilder model = ReluModel();
  model.proto().set_producer_name("maker");
  model.proto().set_producer_version("2");
  model.proto().set_doc_string("does little");
  auto& entry = *model.proto().add_metadata_props();
  entry.set_key("labels");
  entry.set_value("cat,dog");
  model.Import("ai.onnx.ml", 3);
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const ModelMetadata& metadata = imported->metadata;
  EXPECT_EQ(metadata.graph_name, "test");
  EXPECT_EQ(metadata.producer, "maker 2");
  EXPECT_EQ(metadata.description, "does little");
  EXPECT_EQ(metadata.ir_version, 10);
  EXPECT_EQ(metadata.properties.at("labels"), "cat,dog");
  EXPECT_EQ(metadata.opsets,
            (std::vector<std::pair<std::string, int64_t>>{{"", 28}, {"ai.onnx.ml", 3}}));
}

TEST(Importer, ReadsRawInitializersFromTheFile) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  auto& tensor = model.Floats("w", {2}, {});
  const float values[] = {1.5f, -2.5f};
  tensor.set_raw_data(std::string(reinterpret_cast<const char*>(values), sizeof(values)));
  model.Node("Add", {"x", "w"}, {"y"});
  model.Output("y");
  const std::string path = ::testing::TempDir() + "/importer_test_raw.onnx";
  std::ofstream(path, std::ios::binary) << model.Bytes();
  const auto imported = ImportOnnx(path, kLimit);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const Tensor* constant = imported->graph.constant(imported->graph.node(0).inputs[1]);
  ASSERT_NE(constant, nullptr);
  EXPECT_EQ(constant->data<float>()[1], -2.5f);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(constant->raw()) % 64, 0u);
}

TEST(Importer, SortsNodesThatAreOutOfOrder) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  model.Node("Relu", {"b"}, {"y"}).set_name("last");
  model.Node("Relu", {"a"}, {"b"}).set_name("middle");
  model.Node("Relu", {"x"}, {"a"}).set_name("first");
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.node(0).name, "first");
  EXPECT_EQ(imported->graph.node(2).name, "last");
}

TEST(Importer, MakesInitializersThatAreInputsConstants) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  model.Input("w", DType::kFloat32, {2});
  model.Floats("w", {2}, {1, 2});
  model.Node("Add", {"x", "w"}, {"y"});
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.inputs().size(), 1u);
}

TEST(Importer, MakesConstantNodesConstants) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  auto& node = model.Node("Constant", {}, {"c"});
  auto& attribute = *node.add_attribute();
  attribute.set_name("value_floats");
  attribute.set_type(::onnx::AttributeProto::FLOATS);
  attribute.add_floats(3);
  attribute.add_floats(4);
  model.Node("Add", {"x", "c"}, {"y"});
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.num_nodes(), 1);
  const Tensor* constant = imported->graph.constant(imported->graph.node(0).inputs[1]);
  ASSERT_NE(constant, nullptr);
  EXPECT_EQ(constant->TypeString(), "float32[2]");
}

TEST(Importer, AcceptsAttributesWithoutType) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2, 3});
  SetInt(model.Node("Flatten", {"x"}, {"y"}), "axis", 0).clear_type();
  model.Output("y");
  const auto imported = Import(model);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->graph.node(0).attributes.Int("axis", 7), 0);
}

TEST(Importer, RefusesBytesThatAreNoModel) {
  ExpectError(std::string(), {"empty"});
  ExpectError(std::string("this is no protobuf at all, not even"), {"not a valid ONNX model"});
  ExpectError(ReluModel().Bytes().substr(0, ReluModel().Bytes().size() - 9), {"not a valid ONNX"});
  ExpectError(std::string("\x08\x0a", 2), {"no graph"});
}

TEST(Importer, NamesTheFileInErrors) {
  const auto model = ImportOnnx("/does/not/exist.onnx", kLimit);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kNotFound);
  EXPECT_NE(model.status().message().find("/does/not/exist.onnx"), absl::string_view::npos);
  EXPECT_EQ(ImportOnnx("/tmp", kLimit).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(Importer, RefusesModelsOverTheLimit) {
  const auto model = ImportOnnxBytes(ReluModel().Bytes(), "", 10);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(Importer, RefusesVersionsItDoesNotKnow) {
  ModelBuilder old_ir = ReluModel();
  old_ir.proto().set_ir_version(2);
  ExpectError(old_ir, {"ir_version 2 is too old", "3 to 14"});
  ModelBuilder old_opset(0);
  old_opset.Output("y");
  ExpectError(old_opset, {"opset 0 of domain ai.onnx is too old", "1 to 28"});
  ModelBuilder new_opset(29);
  ExpectError(new_opset, {"opset 29 of domain ai.onnx is too new", "1 to 28"});
}

TEST(Importer, AcceptsAnOpsetThatIsImportedTwiceUnlessTheVersionsDiffer) {
  ModelBuilder model = ReluModel();
  auto* again = model.proto().add_opset_import();
  again->set_domain("ai.onnx");
  again->set_version(28);
  const auto imported = ImportOnnxBytes(model.Bytes(), "", 64 << 20);
  EXPECT_TRUE(imported.ok()) << imported.status();
  again->set_version(17);
  ExpectError(model, {"'ai.onnx'", "opset 28", "opset 17"});
}

TEST(Importer, NamesUnknownOperators) {
  ModelBuilder model = ReluModel();
  model.graph().mutable_node(0)->set_op_type("Frobnicate");
  ExpectError(model, {"node 'act'", "operator 'Frobnicate'", "domain 'ai.onnx'", "opset 28"});
  model.graph().mutable_node(0)->set_domain("acme");
  ExpectError(model, {"node 'act'", "domain 'acme'", "neither imports"});
  model.Import("acme", 2);
  ExpectError(model, {"operator 'Frobnicate'", "domain 'acme'", "opset 2"});
}

TEST(Importer, RefusesCycles) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {2});
  model.Node("Add", {"x", "b"}, {"a"}).set_name("one");
  model.Node("Relu", {"a"}, {"b"}).set_name("two");
  model.Node("Relu", {"b"}, {"y"}).set_name("three");
  model.Output("y");
  ExpectError(model, {"cycle through node '"});
}

TEST(Importer, TakesADomainListedTwiceOnlyAtOneOpset) {
  ModelBuilder model = ReluModel();
  model.Import("", 28);
  EXPECT_TRUE(ImportOnnxBytes(model.Bytes(), "", int64_t{1} << 20).ok());
  model.Import("", 27);
  ExpectError(model, {"domain 'ai.onnx' is imported as opset 28 and as opset 27"});
}

TEST(Importer, RefusesValuesThatAreDefinedTwice) {
  ModelBuilder twice = ReluModel();
  twice.Node("Relu", {"x"}, {"y"}).set_name("again");
  ExpectError(twice, {"'y' is made twice", "node 'act'", "node 'again'"});
  ModelBuilder as_input = ReluModel();
  as_input.Node("Relu", {"y"}, {"x"}).set_name("back");
  ExpectError(as_input, {"node 'back'", "makes 'x'", "input or initializer already"});
  ModelBuilder constants = ReluModel();
  constants.Floats("w", {1}, {1});
  constants.Floats("w", {1}, {2});
  ExpectError(constants, {"initializer", "'w' is defined twice"});
  ModelBuilder inputs = ReluModel();
  inputs.Input("x", DType::kFloat32, {2});
  ExpectError(inputs, {"graph input 'x'", "defined twice"});
}

TEST(Importer, RefusesUndefinedValues) {
  ModelBuilder read = ReluModel();
  read.Node("Relu", {"nothing"}, {"z"}).set_name("lost");
  ExpectError(read, {"node 'lost'", "reads 'nothing'"});
  ModelBuilder output = ReluModel();
  output.Output("nowhere");
  ExpectError(output, {"graph output 'nowhere'"});
}

TEST(Importer, ChecksArity) {
  ModelBuilder many = ReluModel();
  many.graph().mutable_node(0)->add_input("x");
  ExpectError(many, {"node 'act' (Relu)", "2 inputs; expected 1"});
  ModelBuilder absent = ReluModel();
  absent.graph().mutable_node(0)->set_input(0, "");
  ExpectError(absent, {"node 'act'", "input 0 is absent"});
  ModelBuilder outputs = ReluModel();
  outputs.graph().mutable_node(0)->add_output("z");
  ExpectError(outputs, {"2 outputs; expected 1"});
}

TEST(Importer, ChecksAttributes) {
  ModelBuilder unknown = ReluModel();
  SetInt(*unknown.graph().mutable_node(0), "slope", 1);
  ExpectError(unknown, {"node 'act'", "unknown attribute 'slope'"});
  ModelBuilder kind;
  kind.Input("x", DType::kFloat32, {2, 3});
  SetFloat(kind.Node("Flatten", {"x"}, {"y"}), "axis", 1);
  kind.Output("y");
  ExpectError(kind, {"attribute axis is of type float; expected int"});
  ModelBuilder twice;
  twice.Input("x", DType::kFloat32, {2, 3});
  auto& node = twice.Node("Flatten", {"x"}, {"y"});
  SetInt(node, "axis", 1);
  SetInt(node, "axis", 0);
  twice.Output("y");
  ExpectError(twice, {"'axis' is given twice"});
  ModelBuilder reference = ReluModel();
  SetReference(*reference.graph().mutable_node(0), "a", "b", ::onnx::AttributeProto::INT);
  ExpectError(reference, {"refers to attribute 'b' of a function"});
}

TEST(Importer, RefusesHostileTypes) {
  ModelBuilder model = ReluModel();
  auto& type = *model.graph().mutable_input(0)->mutable_type()->mutable_tensor_type();
  type.set_elem_type(99);
  ExpectError(model, {"graph input 'x'", "unknown element type 99"});
  type.set_elem_type(1);
  type.mutable_shape()->mutable_dim(0)->set_dim_value(int64_t{1} << 60);
  ExpectError(model, {"graph input 'x'", "dimension 0"});
}

// A model with a bit of everything the importer knows.
std::string SeedModel(int64_t opset) {
  ModelBuilder model(opset);
  model.Import("test", 1);
  model.NamedInput("x", DType::kFloat32, {"n", "c"});
  model.Input("cond", DType::kBool, {});
  model.Floats("w", {3}, {1, 2, 3});
  model.Floats("raw", {2}, {}).set_raw_data("12345678");
  auto& sparse = *model.graph().add_sparse_initializer();
  sparse.mutable_values()->set_name("s");
  sparse.mutable_values()->set_data_type(1);
  sparse.mutable_values()->add_dims(1);
  sparse.mutable_values()->add_float_data(1);
  sparse.mutable_indices()->set_data_type(7);
  sparse.mutable_indices()->add_dims(1);
  sparse.mutable_indices()->add_int64_data(2);
  sparse.add_dims(4);
  auto& function = model.Function("F", {"a"}, {"b"}, opset);
  AddNode(function, "Relu", {"a"}, {"b"});
  model.Node("F", {"x"}, {"h"}).set_domain("test");
  SetInt(model.Node("Softmax", {"h"}, {"p"}), "axis", 0);
  auto& choice = model.Node("If", {"cond"}, {"q"});
  for (const char* name : {"then_branch", "else_branch"}) {
    auto& branch = SetGraph(choice, name);
    AddNode(branch, "Relu", {"p"}, {"r"});
    branch.add_output()->set_name("r");
  }
  if (opset < 13) SetInts(model.Node("Squeeze", {"q"}, {"y"}), "axes", {0});
  model.Output(opset < 13 ? "y" : "q");
  return model.Bytes();
}

void Damage(std::string& bytes, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    const size_t at = random() % bytes.size();
    switch (random() % 5) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
        break;
      case 2:
        bytes.erase(at, 1 + random() % 4);
        break;
      case 3:
        bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 32));
        break;
      default:
        bytes[at] = static_cast<char>(0xff);
    }
  }
}

TEST(Importer, SurvivesDamagedModels) {
  const std::vector<std::string> seeds = {SeedModel(28), SeedModel(11)};
  for (const std::string& seed : seeds) {
    const auto model = ImportOnnxBytes(seed, "", 1 << 20);
    ASSERT_TRUE(model.ok()) << model.status();
  }
  std::mt19937 random(20240601);
  int imported = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = seeds[round % seeds.size()];
    Damage(bytes, random);
    const auto model = ImportOnnxBytes(bytes, "", 1 << 20);
    if (!model.ok()) {
      EXPECT_FALSE(model.status().message().empty());
      continue;
    }
    ++imported;
    EXPECT_TRUE(model->graph.Verify().ok()) << model->graph.ToString();
  }
  // Damage to names and numbers often leaves a valid model.
  EXPECT_GT(imported, 20);
  EXPECT_LT(imported, 1900);
}

TEST(Importer, SurvivesEveryTruncation) {
  const std::string seed = SeedModel(28);
  for (size_t size = 0; size < seed.size(); ++size) {
    const auto model = ImportOnnxBytes(absl::string_view(seed.data(), size), "", 1 << 20);
    EXPECT_TRUE(!model.ok() || model->graph.Verify().ok());
  }
}

}  // namespace
}  // namespace inferd
