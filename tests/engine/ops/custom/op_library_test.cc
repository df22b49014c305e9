#include "engine/ops/custom/op_library.h"

#include <fstream>

#include "engine/engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using ::inferd::testing::ModelBuilder;
using ::inferd::testing::SetFloat;
using ::inferd::testing::SetString;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

EngineConfig WithExample() {
  EngineConfig config;
  config.custom_op_libraries = {INFERD_EXAMPLE_OPS};
  return config;
}

std::string Save(const ModelBuilder& builder) {
  std::string path = ::testing::TempDir() + "/inferd_op_library_test.onnx";
  std::ofstream(path, std::ios::binary) << builder.Bytes();
  return path;
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// y = Hypot(x, x + 1) * 2 over any number of rows, and words = CountWords(text).
ModelBuilder ExampleModel() {
  ModelBuilder builder;
  builder.Import("com.example", 1);
  builder.NamedInput("x", DType::kFloat32, {"rows"});
  builder.Input("text", DType::kString, {-1});
  builder.Floats("one", {1}, {1});
  builder.Node("Add", {"x", "one"}, {"more"});
  auto& hypot = builder.Node("Hypot", {"x", "more"}, {"y"});
  hypot.set_domain("com.example");
  SetFloat(hypot, "scale", 2);
  auto& words = builder.Node("CountWords", {"text"}, {"words"});
  words.set_domain("com.example");
  SetString(words, "separators", " ,");
  builder.Output("y");
  builder.Output("words");
  return builder;
}

TEST(OpLibrary, RunsAModelWithOperatorsOfALibrary) {
  auto model = Compile(Save(ExampleModel()), WithExample());
  ASSERT_TRUE(model.ok()) << model.status();
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status =
      (*model)->Run(slot,
                    {Tensor::FromValues<float>({2}, {3, 0}),
                     Tensor::FromValues<std::string>({3}, {"one, two,three ", "", "four"})},
                    &outputs);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(outputs[0].values<float>(), ElementsAre(10, 2));
  EXPECT_THAT(outputs[1].values<int64_t>(), ElementsAre(3, 0, 1));
}

TEST(OpLibrary, AModelWithoutItsLibraryIsRefusedNamingTheOperator) {
  const auto model = Compile(Save(ExampleModel()), EngineConfig());
  EXPECT_THAT(MessageOf(model.status()), HasSubstr("Hypot"));
}

TEST(OpLibrary, TheLibrarysOwnMessageReachesTheUserWithTheNode) {
  ModelBuilder builder;
  builder.Import("com.example", 1);
  builder.Input("x", DType::kInt64, {2});
  builder.Node("Hypot", {"x", "x"}, {"y"}).set_domain("com.example");
  builder.Output("y");
  const auto model = Compile(Save(builder), WithExample());
  EXPECT_THAT(MessageOf(model.status()), HasSubstr("Hypot takes float32"));
}

TEST(OpLibrary, AttributesThatTheOperatorDoesNotTakeAreRefused) {
  ModelBuilder builder = ExampleModel();
  SetFloat(*builder.graph().mutable_node(1), "angle", 1);
  const auto model = Compile(Save(builder), WithExample());
  EXPECT_THAT(MessageOf(model.status()), HasSubstr("angle"));
}

TEST(OpLibrary, WithoutLibrariesItIsTheBuiltInRegistry) {
  EXPECT_EQ(LoadOpLibraries({})->get(), &OpRegistry::Builtin());
}

TEST(OpLibrary, NamesTheFileThatCannotBeLoaded) {
  const auto registry = LoadOpLibraries({"/nowhere/libmine.so"});
  EXPECT_EQ(registry.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(MessageOf(registry.status()), HasSubstr("/nowhere/libmine.so"));
}

TEST(OpLibrary, RefusesAnOrdinaryLibraryAndOneGivenTwice) {
  EXPECT_THAT(MessageOf(LoadOpLibraries({INFERD_ORDINARY_LIBRARY}).status()),
              HasSubstr("not a library of operators"));
  EXPECT_THAT(MessageOf(LoadOpLibraries({INFERD_EXAMPLE_OPS, INFERD_EXAMPLE_OPS}).status()),
              HasSubstr("'Hypot' of domain 'com.example' exists already"));
}

}  // namespace
}  // namespace inferd
