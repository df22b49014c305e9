#include "engine/runtime/control_flow.h"

#include "engine/onnx/importer.h"
#include "gtest/gtest.h"
#include "tests/support/model_builder.h"
#include "tests/support/run_graph.h"

namespace inferd::testing {
namespace {

Tensor List(std::initializer_list<float> values) {
  return Tensor::FromValues<float>({static_cast<int64_t>(values.size())}, values);
}

std::vector<Tensor> ImportAndRun(const ModelBuilder& builder, const std::vector<Tensor>& inputs) {
  auto model = ImportOnnxBytes(builder.Bytes(), "", int64_t{1} << 20);
  EXPECT_TRUE(model.ok()) << model.status();
  return model.ok() ? RunPortable(model->graph, inputs) : std::vector<Tensor>();
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
  const auto outputs = ImportAndRun(builder, {List({5}), List({1, 2, 3})});
  ASSERT_EQ(outputs.size(), 1u);
  ExpectNear(outputs[0], List({10, 20, 30}), 0);
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
  const auto outputs = ImportAndRun(builder, {List({1, 2, 3})});
  ASSERT_EQ(outputs.size(), 1u);
  ExpectNear(outputs[0], List({1, 2, 3, 2, 4, 6, 3, 6, 9}), 0);
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
  auto model = ImportOnnxBytes(builder.Bytes(), "", int64_t{1} << 20);
  ASSERT_TRUE(model.ok()) << model.status();
  auto bound = BindShapes(model->graph, {Shape({2}), Shape({3})});
  ASSERT_TRUE(bound.ok()) << bound.status();
  PlanOptions options;
  options.max_arena_bytes = int64_t{1} << 30;
  auto plan = BuildPlan(*bound, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Executor executor(*plan);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, {List({1, 2}), List({1, 2, 3})}, &outputs);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.message().find("equal lengths"), absl::string_view::npos) << status;
}

}  // namespace
}  // namespace inferd::testing
