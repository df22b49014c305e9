// Scan of opset 8, run: a batch of sequences, each with its own length.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/onnx/importer.h"
#include "tests/support/model_builder.h"
#include "tests/support/op_case.h"
#include "tests/support/run_graph.h"

namespace inferd::testing {
namespace {

// A running sum of x times the captured factor: states sum [1], scan input x [1].
ModelBuilder RunningSums(bool with_lengths, int64_t direction) {
  ModelBuilder model(8, 4);
  if (with_lengths) model.Input("lengths", DType::kInt64, {2});
  model.Input("initial", DType::kFloat32, {2, 1});
  model.Input("x", DType::kFloat32, {2, 3, 1});
  model.Floats("factor", {1}, {10});
  ::onnx::NodeProto& scan =
      model.Node("Scan", {with_lengths ? "lengths" : "", "initial", "x"}, {"final", "sums"});
  SetInt(scan, "num_scan_inputs", 1);
  SetInts(scan, "directions", {direction});
  ::onnx::GraphProto& body = SetGraph(scan, "body");
  body.set_name("body");
  AddValue(body.mutable_input(), "sum_in", DType::kFloat32, {1});
  AddValue(body.mutable_input(), "element", DType::kFloat32, {1});
  AddNode(body, "Mul", {"element", "factor"}, {"scaled"});
  AddNode(body, "Add", {"sum_in", "scaled"}, {"sum_out"});
  AddNode(body, "Identity", {"sum_out"}, {"scanned"});
  AddValue(body.mutable_output(), "sum_out", DType::kFloat32, {1});
  AddValue(body.mutable_output(), "scanned", DType::kFloat32, {1});
  model.Output("final");
  model.Output("sums");
  return model;
}

std::vector<Tensor> RunModel(const ModelBuilder& model, const std::vector<Tensor>& inputs) {
  const auto imported = ImportOnnxBytes(model.Bytes(), "", 64 << 20);
  EXPECT_TRUE(imported.ok()) << imported.status();
  return imported.ok() ? RunPortable(imported->graph, inputs) : std::vector<Tensor>(2);
}

void ExpectEqual(const Tensor& expected, const Tensor& got) {
  EXPECT_TRUE(TensorsAgree(expected, got, 0, 0));
}

const Tensor Initial() { return Values<float>({2, 1}, {0, 1000}); }
const Tensor X() { return Values<float>({2, 3, 1}, {1, 2, 3, 4, 5, 6}); }

TEST(BatchedScan, RunsEverySequenceOfTheBatch) {
  const std::vector<Tensor> got = RunModel(RunningSums(false, 0), {Initial(), X()});
  ExpectEqual(Values<float>({2, 1}, {60, 1150}), got[0]);
  ExpectEqual(Values<float>({2, 3, 1}, {10, 30, 60, 1040, 1090, 1150}), got[1]);
}

TEST(BatchedScan, EndsEachSequenceAtItsLengthAndReadsItBackwards) {
  const Tensor lengths = Values<int64_t>({2}, {2, 3});
  const std::vector<Tensor> got = RunModel(RunningSums(true, 1), {lengths, Initial(), X()});
  ExpectEqual(Values<float>({2, 1}, {30, 1150}), got[0]);
  ExpectEqual(Values<float>({2, 3, 1}, {20, 30, 0, 1060, 1110, 1150}), got[1]);
}

TEST(BatchedScan, NeedsAsManyInputsAsItsBodyTakes) {
  ModelBuilder model = RunningSums(false, 0);
  model.graph().mutable_node(0)->mutable_attribute(0)->set_i(5);
  const auto imported = ImportOnnxBytes(model.Bytes(), "", 64 << 20);
  ASSERT_FALSE(imported.ok());
}

}  // namespace
}  // namespace inferd::testing
