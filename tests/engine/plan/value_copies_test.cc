#include "engine/plan/value_copies.h"

#include <algorithm>
#include <utility>

#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"
#include "tests/support/run_on_device.h"

namespace inferd {
namespace {

using testing::CountCopies;
using testing::DevicePlanner;
using testing::GraphBuilder;
using testing::RandomTensor;

bool NoNeg(const Graph&, const Node& node) { return node.op->name != "Neg"; }

// Halves along axis 0, whose node may end up in either memory or take no step.
std::pair<ValueId, ValueId> Split(GraphBuilder& b, ValueId x) {
  Node split;
  split.op = &OpRegistry::Builtin().Get("", "Split");
  split.inputs = {x};
  split.attributes.Set("num_outputs", int64_t{2});
  const std::pair<ValueId, ValueId> halves = {b.graph().AddValue(""), b.graph().AddValue("")};
  split.outputs = {halves.first, halves.second};
  const NodeId id = b.graph().AddNode(std::move(split));
  EXPECT_TRUE(InferNode(b.graph(), id).ok());
  return halves;
}

ValueId Concat(GraphBuilder& b, std::vector<ValueId> parts) {
  Attributes axis;
  axis.Set("axis", int64_t{0});
  return b.Op("Concat", std::move(parts), axis);
}

std::vector<Shape> ShapesOf(const std::vector<Tensor>& inputs) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  return shapes;
}

// Runs three times, since only the first run makes contexts, and compares with the portable
// kernels.
void ExpectSameOnDevice(DevicePlanner& planner, const Graph& graph,
                        const std::vector<Tensor>& inputs, int64_t copies) {
  const std::vector<Tensor> expected = testing::RunPortable(graph, inputs);
  const auto plan = planner.PlanOf(graph, ShapesOf(inputs));
  EXPECT_EQ(CountCopies(*plan), copies) << plan->ToString();
  Executor executor(plan);
  CoreSlot slot(1);
  for (int run = 0; run < 3; ++run) {
    std::vector<Tensor> outputs;
    const absl::Status status = executor.Run(slot, inputs, &outputs);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_EQ(outputs.size(), expected.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      testing::ExpectNear(outputs[i], expected[i], 1e-6f);
    }
  }
}

TEST(ValueCopies, RunsAGraphOnTheDeviceBetweenTwoCopies) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const Graph graph = b.Build({b.Op("Relu", {b.Op("MatMul", {x, b.Weights(Shape({6, 5}))})})});
  DevicePlanner planner;
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({4, 6}))}, 2);
  EXPECT_EQ(planner.device().contexts(), 0);
}

TEST(ValueCopies, CrossesToTheHostAndBack) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {32});
  const ValueId up = b.Op("Exp", {x});
  const ValueId down = b.Op("Neg", {up});
  const Graph graph = b.Build({b.Op("Add", {b.Op("Exp", {down}), up})});
  DevicePlanner planner(NoNeg);
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({32}))}, 4);
}

TEST(ValueCopies, CopiesAValueOnceForAllItsReaders) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {32});
  const ValueId up = b.Op("Exp", {x});
  const ValueId low = b.Op("Neg", {up});
  const ValueId flat = b.Op("Reshape", {up, b.Constant<int64_t>(Shape({2}), {4, 8})});
  const ValueId lower = b.Op("Neg", {flat});
  const Graph graph = b.Build({low, lower, up, b.Op("Abs", {x})});
  DevicePlanner planner(NoNeg);
  // x; up, also through its view and as an output; Abs as an output.
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({32}))}, 3);
}

TEST(ValueCopies, ReadsPartsOfAValueInEitherMemory) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 8});
  const auto [up_first, up_second] = Split(b, b.Op("Exp", {x}));
  const auto [low_first, low_second] = Split(b, b.Op("Neg", {x}));
  const Graph graph = b.Build({b.Op("Abs", {up_first}), b.Op("Neg", {up_second}),
                               b.Op("Sin", {low_first}), b.Op("Neg", {low_second})});
  DevicePlanner planner(NoNeg);
  // x and what Neg makes of it there, what Exp makes of it here, as a whole; two outputs.
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({4, 8}))}, 5);
}

TEST(ValueCopies, ReadsAPartOfAValueThatIsAModelInput) {
  GraphBuilder b;
  const auto [first, second] = Split(b, b.Input("x", {4, 8}));
  const Graph graph = b.Build({b.Op("Abs", {first}), b.Op("Neg", {second})});
  DevicePlanner planner(NoNeg);
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({4, 8}))}, 3);
}

TEST(ValueCopies, JoinsPartsOfOneMemoryInPlaceAndCopiesTheWhole) {
  for (const char* op : {"Abs", "Neg"}) {  // there, here
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 8});
    const ValueId joined = Concat(b, {b.Op(op, {x}), b.Op(op, {b.Op(op, {x})})});
    const Graph graph = b.Build({b.Op("Neg", {joined}), b.Op("Exp", {joined})});
    DevicePlanner planner(NoNeg);
    const auto plan = planner.PlanOf(graph, {Shape({2, 8})});
    EXPECT_TRUE(std::none_of(plan->steps.begin(), plan->steps.end(), [](const Step& step) {
      return step.op->name == "Concat";
    })) << plan->ToString();
    // The joined value and Exp's output; x to the device when its parts are made there.
    ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({2, 8}))}, op[0] == 'A' ? 3 : 2);
  }
}

TEST(ValueCopies, JoinsPartsOfSeveralMemoriesByAStep) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 8});
  const ValueId joined = Concat(b, {b.Op("Abs", {x}), b.Op("Neg", {x})});
  const Graph graph = b.Build({b.Op("Neg", {joined}), b.Op("Exp", {joined})});
  DevicePlanner planner(NoNeg);
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({2, 8}))}, 4);
}

TEST(ValueCopies, KeepsCopiesOfPartsThatWereMadeBeforeTheyWereJoined) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 8});
  const ValueId low = b.Op("Abs", {x});
  const ValueId early = b.Op("Neg", {low});
  const ValueId joined = Concat(b, {b.Op("Exp", {x}), low});
  const ValueId late = b.Op("Neg", {b.Op("Reshape", {low, b.Constant<int64_t>(Shape({1}), {32})})});
  const auto [first, second] = Split(b, joined);
  const Graph graph = b.Build({early, late, b.Op("Neg", {second}), b.Op("Sin", {first}), joined});
  DevicePlanner planner(NoNeg);
  // x, low alone, Sin's output; the joined value for everything else.
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({4, 8}))}, 4);
}

// Halves begin at 48 and 60 bytes, where no value on a device may.
TEST(ValueCopies, SplitsOnTheDeviceWhatWouldLieBadlyThere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4, 6});
  const auto [up_first, up_second] = Split(b, b.Op("Exp", {x}));
  const auto [low_first, low_second] = Split(b, b.Op("Neg", {x}));
  const Graph graph = b.Build({b.Op("Abs", {up_first}), b.Op("Neg", {up_second}),
                               b.Op("Neg", {low_first}), b.Op("Sin", {low_second})});
  DevicePlanner planner(NoNeg);
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({4, 6}))}, 5);
}

TEST(ValueCopies, JoinsOnTheDeviceByAStepWhatWouldLieBadlyThere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 5});
  const ValueId joined = Concat(b, {b.Op("Abs", {x}), b.Op("Exp", {x})});
  const Graph graph = b.Build({b.Op("Neg", {joined}), b.Op("Exp", {joined})});
  DevicePlanner planner(NoNeg);
  const auto plan = planner.PlanOf(graph, {Shape({3, 5})});
  EXPECT_TRUE(std::any_of(plan->steps.begin(), plan->steps.end(), [](const Step& step) {
    return step.op->name == "Concat" && step.device >= 0;
  })) << plan->ToString();
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({3, 5}))}, 3);
}

TEST(ValueCopies, PassesInputsAndConstantsThatNoStepMakes) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const ValueId w = b.Weights(Shape({8}));
  const Graph graph = b.Build({x, w, b.Op("Add", {x, w})});
  DevicePlanner planner;
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({8}))}, 2);
}

TEST(ValueCopies, KeepsHostAndDeviceBlocksApart) {
  // Blocks of both arenas are reused in turn.
  GraphBuilder b;
  const ValueId x = b.Input("x", {16, 16});
  ValueId y = x;
  for (int i = 0; i < 5; ++i) {
    const ValueId side = b.Op("Neg", {b.Op("MatMul", {y, b.Weights(Shape({16, 16}))})});
    y = b.Op("Add", {b.Op("Softmax", {side}), b.Op("Transpose", {y})});
  }
  const Graph graph = b.Build({y});
  DevicePlanner planner(NoNeg);
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({16, 16}))}, 2 + 2 * 5);
}

TEST(ValueCopies, ReadsTensorsOfUnknownShapesOnTheHost) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {64});
  const ValueId found = b.Op("NonZero", {b.Op("Relu", {x})});
  const Graph graph = b.Build({b.Op("Gather", {b.Op("Exp", {x}), found})});
  DevicePlanner planner;
  ExpectSameOnDevice(planner, graph, {RandomTensor(Shape({64}))}, 3);
}

TEST(ValueCopies, SharesConstantsBetweenPlans) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("n"), 8});
  const Graph graph = b.Build({b.Op("MatMul", {x, b.Weights(Shape({8, 8}))})});
  DevicePlanner planner;
  {
    const auto one = planner.PlanOf(graph, {Shape({1, 8})});
    const auto two = planner.PlanOf(graph, {Shape({2, 8})});
    EXPECT_EQ(planner.weights().bytes(), 8 * 8 * 4);
  }
  EXPECT_EQ(planner.weights().bytes(), 0);
  EXPECT_EQ(planner.device().allocated_bytes(), 0);
}

TEST(ValueCopies, StandInThePlansDumpWithTheDevices) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {8});
  const Graph graph = b.Build({b.Op("Neg", {x})});
  DevicePlanner planner;
  const std::string dump = planner.PlanOf(graph, {Shape({8})})->ToString();
  EXPECT_NE(dump.find("on fake:0: arena 256 bytes"), std::string::npos) << dump;
  EXPECT_NE(dump.find("to device"), std::string::npos) << dump;
  EXPECT_NE(dump.find("to host"), std::string::npos) << dump;
  EXPECT_NE(dump.find(":fake:0 float32[8]"), std::string::npos) << dump;
}

TEST(FakeDevice, KeepsItsMemoryFromHostCode) {
  testing::FakeDevice device;
  const auto block = device.Allocate(64).value();
  EXPECT_DEATH(static_cast<void>(*static_cast<volatile char*>(block.get())), "");
}

}  // namespace
}  // namespace inferd
