#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::GraphBuilder;

// x -> Dropout -> Relu, the mask read by nobody unless `reads_mask`; Dropouts left after the pass.
int DropoutsLeft(std::optional<bool> training, bool has_mask, bool reads_mask) {
  GraphBuilder b;
  std::vector<ValueId> inputs = {b.Input("x", {2})};
  if (training) {
    inputs.push_back(b.Scalar(0.5f));
    inputs.push_back(b.graph().AddConstant("", Tensor::Scalar<bool>(*training)));
  }
  const ValueId dropped = b.Op("Dropout", inputs);
  std::vector<ValueId> outputs = {b.Op("Relu", {dropped})};
  if (has_mask) {
    const ValueId mask =
        b.graph().AddValue("mask", ValueType::OfTensor(DType::kBool, SymbolicShape({2})));
    Node& dropout = b.graph().node(b.graph().value(dropped).producer);
    dropout.outputs.push_back(mask);
    b.graph().value(mask).producer = b.graph().value(dropped).producer;
    if (reads_mask) outputs.push_back(mask);
  }
  Graph graph = b.Build(outputs);
  const EngineConfig config;
  EXPECT_TRUE(RemoveRedundantNodes(graph, PassContext{.config = config, .providers = {}}).ok());
  return CountOps(graph, "Dropout");
}

TEST(RemoveRedundantNodes, DropsDropoutsThatDropNothing) {
  EXPECT_EQ(DropoutsLeft({}, false, false), 0);
  EXPECT_EQ(DropoutsLeft({}, true, false), 0);
  EXPECT_EQ(DropoutsLeft(false, true, false), 0);
}

TEST(RemoveRedundantNodes, KeepsDropoutsThatTrainOrWhoseMaskIsRead) {
  EXPECT_EQ(DropoutsLeft(true, false, false), 1);
  EXPECT_EQ(DropoutsLeft({}, true, true), 1);
}

}  // namespace
}  // namespace inferd
