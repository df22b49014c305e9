#include "engine/runtime/control_flow.h"

#include <fstream>

#include "engine/engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"

namespace inferd {
namespace {

using ::inferd::testing::AddNode;
using ::inferd::testing::AddValue;
using ::inferd::testing::ModelBuilder;
using ::inferd::testing::SetGraph;
using ::inferd::testing::SetInt;
using ::inferd::testing::SetInts;
using ::testing::ElementsAre;

std::unique_ptr<Model> CompileOrDie(const ModelBuilder& builder) {
  const std::string path = ::testing::TempDir() + "/inferd_control_flow_test.onnx";
  std::ofstream(path, std::ios::binary) << builder.Bytes();
  auto model = Compile(path, EngineConfig());
  EXPECT_TRUE(model.ok()) << model.status();
  return *std::move(model);
}

Tensor Floats(const Shape& shape, std::vector<float> values) {
  return Tensor::FromValues<float>(shape, absl::Span<const float>(values));
}

// Copies of the outputs. Bodies are bound the second time that shapes are seen, so tests run models
// several times and expect the same each time.
std::vector<Tensor> RunOn(Model& model, CoreSlot& slot, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> outputs;
  const absl::Status status = model.Run(slot, inputs, &outputs);
  EXPECT_TRUE(status.ok()) << status;
  for (Tensor& output : outputs) output = output.Clone().value();
  return outputs;
}

std::vector<float> ValuesOf(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

// A Loop without condition over float inputs `a` and `b`, trip count the input n. The body takes a
// and b and is filled by the caller.
struct LoopModel {
  ModelBuilder builder;
  ::onnx::GraphProto* body = nullptr;

  LoopModel(std::vector<int64_t> dims, ModelBuilder::Names outputs) {
    builder.Input("n", DType::kInt64, {});
    builder.Input("a0", DType::kFloat32, dims);
    builder.Input("b0", DType::kFloat32, dims);
    auto& node = builder.Node("Loop", {"n", "", "a0", "b0"}, outputs);
    body = &SetGraph(node, "body");
    body->set_name("body");
    AddValue(body->mutable_input(), "i", DType::kInt64, {});
    AddValue(body->mutable_input(), "c", DType::kBool, {});
    AddValue(body->mutable_input(), "a", DType::kFloat32, dims);
    AddValue(body->mutable_input(), "b", DType::kFloat32, dims);
    for (const char* output : outputs) builder.Output(output);
  }
  void BodyOutputs(ModelBuilder::Names names) {
    for (const char* name : names) body->add_output()->set_name(name);
  }
};

TEST(ControlFlow, CarriesSwappedValuesWhicheverPlanRuns) {
  LoopModel loop({2}, {"a1", "b1"});
  AddNode(*loop.body, "Identity", {"c"}, {"d"});
  loop.BodyOutputs({"d", "b", "a"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  for (int64_t trips : {0, 1, 2, 5, 6}) {
    const auto outputs = RunOn(
        *model, slot, {Tensor::Scalar<int64_t>(trips), Floats({2}, {1, 2}), Floats({2}, {3, 4})});
    EXPECT_THAT(ValuesOf(outputs[trips % 2]), ElementsAre(1, 2)) << trips;
    EXPECT_THAT(ValuesOf(outputs[1 - trips % 2]), ElementsAre(3, 4)) << trips;
  }
}

TEST(ControlFlow, CarriesComputedAndUnchangedValues) {
  LoopModel loop({2}, {"a1", "b1", "all"});
  AddNode(*loop.body, "Identity", {"c"}, {"d"});
  AddNode(*loop.body, "Add", {"a", "b"}, {"s"});
  AddNode(*loop.body, "Neg", {"s"}, {"u"});
  loop.BodyOutputs({"d", "s", "b", "u"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs = RunOn(
        *model, slot, {Tensor::Scalar<int64_t>(3), Floats({2}, {1, 2}), Floats({2}, {10, 20})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(31, 62));
    EXPECT_THAT(ValuesOf(outputs[1]), ElementsAre(10, 20));
    EXPECT_EQ(outputs[2].shape(), Shape({3, 2}));
    EXPECT_THAT(ValuesOf(outputs[2]), ElementsAre(-11, -22, -21, -42, -31, -62));
  }
}

TEST(ControlFlow, GivesAnEmptyScanOutputTheRankOfItsParts) {
  LoopModel loop({2, 3}, {"a1", "b1", "all"});
  AddNode(*loop.body, "Identity", {"c"}, {"d"});
  AddNode(*loop.body, "Transpose", {"a"}, {"u"});
  loop.BodyOutputs({"d", "a", "b", "u"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  const Tensor x = Floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto outputs = RunOn(*model, slot, {Tensor::Scalar<int64_t>(0), x, x});
  EXPECT_EQ(outputs[2].shape(), Shape({0, 3, 2}));
  EXPECT_EQ(outputs[2].dtype(), DType::kFloat32);
}

TEST(ControlFlow, LetsACarriedShapeGrow) {
  LoopModel loop({-1}, {"a1", "b1"});
  AddNode(*loop.body, "Identity", {"c"}, {"d"});
  SetInt(AddNode(*loop.body, "Concat", {"a", "b"}, {"s"}), "axis", 0);
  loop.BodyOutputs({"d", "s", "b"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs =
        RunOn(*model, slot, {Tensor::Scalar<int64_t>(3), Floats({1}, {1}), Floats({1}, {2})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(1, 2, 2, 2));
  }
}

TEST(ControlFlow, EndsWhenTheConditionSaysSo) {
  LoopModel loop({1}, {"a1", "b1", "all"});
  AddNode(*loop.body, "Add", {"a", "b"}, {"s"});
  loop.builder.Floats("limit", {}, {5});
  AddNode(*loop.body, "Less", {"s", "limit"}, {"d1"});
  AddNode(*loop.body, "ReduceMax", {"d1"}, {"d"});
  SetInt(*loop.body->mutable_node(2), "keepdims", 0);
  loop.BodyOutputs({"d", "s", "b", "s2"});
  AddNode(*loop.body, "Mul", {"s", "s"}, {"s2"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs =
        RunOn(*model, slot,
              {Tensor::Scalar<int64_t>(int64_t{1} << 60), Floats({1}, {0}), Floats({1}, {2})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(6));
    EXPECT_THAT(ValuesOf(outputs[2]), ElementsAre(4, 16, 36));
  }
}

TEST(ControlFlow, RunsALoopInALoop) {
  LoopModel loop({1}, {"a1", "b1"});
  AddNode(*loop.body, "Identity", {"c"}, {"d"});
  auto& inner = AddNode(*loop.body, "Loop", {"n", "", "a"}, {"s"});
  auto& body = SetGraph(inner, "body");
  body.set_name("inner");
  AddValue(body.mutable_input(), "j", DType::kInt64, {});
  AddValue(body.mutable_input(), "e", DType::kBool, {});
  AddValue(body.mutable_input(), "t", DType::kFloat32, {1});
  AddNode(body, "Add", {"t", "b"}, {"t1"});
  AddNode(body, "Identity", {"e"}, {"f"});
  body.add_output()->set_name("f");
  body.add_output()->set_name("t1");
  loop.BodyOutputs({"d", "s", "b"});
  auto model = CompileOrDie(loop.builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs =
        RunOn(*model, slot, {Tensor::Scalar<int64_t>(4), Floats({1}, {1}), Floats({1}, {2})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(33));
  }
}

TEST(ControlFlow, KeepsAnInitialValueThatNoIterationReplaces) {
  // The loop's input is an arena value that a later step overwrites.
  ModelBuilder builder;
  builder.Input("n", DType::kInt64, {});
  builder.Input("x", DType::kFloat32, {2});
  builder.Node("Neg", {"x"}, {"a0"});
  auto& node = builder.Node("Loop", {"n", "", "a0"}, {"a1"});
  auto& body = SetGraph(node, "body");
  body.set_name("body");
  AddValue(body.mutable_input(), "i", DType::kInt64, {});
  AddValue(body.mutable_input(), "c", DType::kBool, {});
  AddValue(body.mutable_input(), "a", DType::kFloat32, {2});
  AddNode(body, "Identity", {"c"}, {"d"});
  AddNode(body, "Abs", {"a"}, {"b"});
  body.add_output()->set_name("d");
  body.add_output()->set_name("b");
  builder.Node("Exp", {"x"}, {"e"});
  builder.Node("Log", {"e"}, {"l"});
  builder.Node("Add", {"l", "a1"}, {"y"});
  builder.Output("y");
  auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  const auto outputs = RunOn(*model, slot, {Tensor::Scalar<int64_t>(0), Floats({2}, {1, 2})});
  EXPECT_NEAR(outputs[0].data<float>()[0], 0, 1e-6);
  EXPECT_NEAR(outputs[0].data<float>()[1], 0, 1e-6);
}

TEST(ControlFlow, ScansAlongAnyAxisInBothDirections) {
  ModelBuilder builder;
  builder.Input("x", DType::kFloat32, {2, -1});
  auto& node = builder.Node("Scan", {"x", "x"}, {"s1", "y"});
  auto& body = SetGraph(node, "body");
  body.set_name("body");
  builder.Node("ReduceSum", {"y"}, {"unused"});
  SetInt(node, "num_scan_inputs", 1);
  // The state starts as x and is replaced by its column.
  AddValue(body.mutable_input(), "s", DType::kFloat32, {-1});
  AddValue(body.mutable_input(), "e", DType::kFloat32, {2});
  AddNode(body, "ReduceMax", {"s"}, {"m"});
  SetInt(*body.mutable_node(0), "keepdims", 0);
  AddNode(body, "Add", {"e", "m"}, {"t"});
  body.add_output()->set_name("e");
  body.add_output()->set_name("t");
  SetInts(node, "scan_input_axes", {1});
  SetInts(node, "scan_input_directions", {1});
  SetInts(node, "scan_output_axes", {1});
  SetInts(node, "scan_output_directions", {1});
  builder.Output("s1");
  builder.Output("y");
  auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs = RunOn(*model, slot, {Floats({2, 3}, {1, 2, 3, 4, 5, 6})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(1, 4));
    EXPECT_EQ(outputs[1].shape(), Shape({2, 3}));
    EXPECT_THAT(ValuesOf(outputs[1]), ElementsAre(6, 8, 9, 9, 11, 12));
  }
}

TEST(ControlFlow, TakesEitherBranchAgainAndAgain) {
  ModelBuilder builder;
  builder.Input("c", DType::kBool, {});
  builder.Input("x", DType::kFloat32, {2});
  auto& node = builder.Node("If", {"c"}, {"y"});
  auto& then_branch = SetGraph(node, "then_branch");
  then_branch.set_name("then");
  AddNode(then_branch, "Neg", {"x"}, {"t"});
  then_branch.add_output()->set_name("t");
  auto& else_branch = SetGraph(node, "else_branch");
  else_branch.set_name("else");
  AddNode(else_branch, "Identity", {"x"}, {"e"});
  else_branch.add_output()->set_name("e");
  builder.Output("y");
  auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  for (int run = 0; run < 4; ++run) {
    const Tensor x = Floats({2}, {1, 2});
    EXPECT_THAT(ValuesOf(RunOn(*model, slot, {Tensor::Scalar<bool>(true), x})[0]),
                ElementsAre(-1, -2));
    EXPECT_THAT(ValuesOf(RunOn(*model, slot, {Tensor::Scalar<bool>(false), x})[0]),
                ElementsAre(1, 2));
  }
}

TEST(ControlFlow, MakesNoStepOfABranchThatShapesDecide) {
  ModelBuilder builder;
  builder.NamedInput("x", DType::kFloat32, {"rows", "columns"});
  builder.Int64s("two", {}, {2});
  builder.Int64s("first", {1}, {0});
  builder.Node("Shape", {"x"}, {"shape"});
  builder.Node("Gather", {"shape", "first"}, {"rows"});
  builder.Node("Equal", {"rows", "two"}, {"is_two"});
  auto& node = builder.Node("If", {"is_two"}, {"y"});
  auto& then_branch = SetGraph(node, "then_branch");
  then_branch.set_name("then");
  AddNode(then_branch, "Neg", {"x"}, {"t"});
  then_branch.add_output()->set_name("t");
  auto& else_branch = SetGraph(node, "else_branch");
  else_branch.set_name("else");
  AddNode(else_branch, "Abs", {"x"}, {"e"});
  else_branch.add_output()->set_name("e");
  builder.Output("y");
  auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  EXPECT_THAT(ValuesOf(RunOn(*model, slot, {Floats({2, 1}, {1, -2})})[0]), ElementsAre(-1, 2));
  EXPECT_THAT(ValuesOf(RunOn(*model, slot, {Floats({1, 2}, {1, -2})})[0]), ElementsAre(1, 2));
  const Shape shapes[] = {Shape({2, 1})};
  EXPECT_THAT(model->PlanDump(shapes).value(), ::testing::HasSubstr("plan: 1 steps"));
}

// x -> SequenceMap over its elements -> y; the body takes "element" and makes "mapped".
::onnx::GraphProto& MapElements(ModelBuilder& builder) {
  builder.Input("x", DType::kFloat32, {-1});
  builder.Node("SplitToSequence", {"x"}, {"elements"});
  ::onnx::NodeProto& map = builder.Node("SequenceMap", {"elements"}, {"results"});
  SetInt(builder.Node("ConcatFromSequence", {"results"}, {"y"}), "axis", 0);
  builder.Output("y");
  ::onnx::GraphProto& body = SetGraph(map, "body");
  AddValue(body.mutable_input(), "element", DType::kFloat32, {});
  AddValue(body.mutable_output(), "mapped", DType::kFloat32, {});
  return body;
}

TEST(ControlFlow, SequenceMapRunsItsBodyOnEveryElementWithWhatItCaptures) {
  ModelBuilder builder;
  builder.Input("scale", DType::kFloat32, {1});
  builder.Node("Add", {"scale", "scale"}, {"twice"});
  AddNode(MapElements(builder), "Mul", {"element", "twice"}, {"mapped"});
  const auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs = RunOn(*model, slot, {Floats({1}, {5}), Floats({3}, {1, 2, 3})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(10, 20, 30));
  }
}

TEST(ControlFlow, SequenceMapsNest) {
  ModelBuilder builder;
  ::onnx::GraphProto& body = MapElements(builder);
  // The inner map runs over the outer one's sequence, a captured value, for each of its elements.
  ::onnx::NodeProto& map = AddNode(body, "SequenceMap", {"elements"}, {"products"});
  ::onnx::GraphProto& inner = SetGraph(map, "body");
  AddValue(inner.mutable_input(), "other", DType::kFloat32, {});
  AddValue(inner.mutable_output(), "product", DType::kFloat32, {});
  AddNode(inner, "Mul", {"other", "element"}, {"product"});
  SetInt(AddNode(body, "ConcatFromSequence", {"products"}, {"mapped"}), "axis", 0);
  const auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    const auto outputs = RunOn(*model, slot, {Floats({3}, {1, 2, 3})});
    EXPECT_THAT(ValuesOf(outputs[0]), ElementsAre(1, 2, 3, 2, 4, 6, 3, 6, 9));
  }
}

TEST(ControlFlow, SequenceMapRefusesSequencesOfDifferentLengths) {
  ModelBuilder builder;
  builder.Input("a", DType::kFloat32, {2});
  builder.Input("b", DType::kFloat32, {3});
  builder.Node("SplitToSequence", {"a"}, {"p"});
  builder.Node("SplitToSequence", {"b"}, {"q"});
  ::onnx::NodeProto& map = builder.Node("SequenceMap", {"p", "q"}, {"sums"});
  ::onnx::GraphProto& body = SetGraph(map, "body");
  AddValue(body.mutable_input(), "u", DType::kFloat32, {});
  AddValue(body.mutable_input(), "v", DType::kFloat32, {});
  AddValue(body.mutable_output(), "sum", DType::kFloat32, {});
  AddNode(body, "Add", {"u", "v"}, {"sum"});
  SetInt(builder.Node("ConcatFromSequence", {"sums"}, {"y"}), "axis", 0);
  builder.Output("y");
  const auto model = CompileOrDie(builder);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status =
      model->Run(slot, {Floats({2}, {1, 2}), Floats({3}, {1, 2, 3})}, &outputs);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.message().find("equal lengths"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace inferd
