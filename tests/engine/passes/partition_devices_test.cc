#include "engine/plan/binder.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::FakeDevice;
using testing::FakeDeviceProvider;
using testing::FakePassContext;
using testing::GraphBuilder;
using testing::RunPass;

// With a device that takes all but the named operators.
FakePassContext DeviceFirst(const std::string& but = "") {
  return testing::DeviceFirst(
      [but](const Graph&, const Node& node) { return node.op->name != but; });
}

FakeDevice& DeviceOf(const FakePassContext& context) {
  return static_cast<FakeDeviceProvider&>(*context.providers[0]).fake();
}

// The device's nodes by operator.
std::vector<std::string> OnDevice(const Graph& graph) {
  std::vector<std::string> names;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (!node.removed && node.device_provider == 0) names.emplace_back(node.op->name);
  }
  return names;
}

Graph ReluOfProduct() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {64, 64});
  return b.Build({b.Op("Relu", {b.Op("MatMul", {x, b.Weights(Shape({64, 64}))})})});
}

TEST(PartitionDevices, GivesADeviceWhatItIsTheFirstToTake) {
  Graph graph = ReluOfProduct();
  EXPECT_EQ(RunPass(PartitionDevices, graph, DeviceFirst()), 2);
  EXPECT_EQ(OnDevice(graph), (std::vector<std::string>{"MatMul", "Relu"}));
}

TEST(PartitionDevices, LeavesWhatTheDeviceDoesNotTakeInHostMemory) {
  Graph graph = ReluOfProduct();
  EXPECT_EQ(RunPass(PartitionDevices, graph, DeviceFirst("Relu")), 1);
  EXPECT_EQ(OnDevice(graph), std::vector<std::string>{"MatMul"});
}

TEST(PartitionDevices, FollowsTheOrderOfTheProviders) {
  Graph graph = ReluOfProduct();
  FakePassContext context = DeviceFirst();
  std::swap(context.providers[0], context.providers[1]);
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 0);
}

TEST(PartitionDevices, GivesAnIslandBackThatDoesNotPayForItsCopies) {
  Graph graph = ReluOfProduct();
  const FakePassContext context = DeviceFirst();
  DeviceOf(context).set_costs({1.0, 1e18, 0, 1e18, 1e18});
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 0);
}

TEST(PartitionDevices, CountsOnlyCopiesAtTheBorderOfAnIsland) {
  // 64x64 products of about 10 us each on a core; two copies of 40 us pay from the ninth on.
  for (const int products : {4, 16}) {
    GraphBuilder b;
    ValueId x = b.Input("x", {64, 64});
    for (int i = 0; i < products; ++i) x = b.Op("MatMul", {x, b.Weights(Shape({64, 64}))});
    Graph graph = b.Build({x});
    const FakePassContext context = DeviceFirst();
    DeviceOf(context).set_costs({40e-6, 1e18, 0, 1e18, 1e18});
    EXPECT_EQ(RunPass(PartitionDevices, graph, context), products == 16 ? 16 : 0);
  }
}

TEST(PartitionDevices, LooksThroughViewsForTheBorder) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {64, 64});
  const ValueId y = b.Op("Reshape", {b.Op("Exp", {x}), b.Constant<int64_t>(Shape({1}), {4096})});
  Graph graph = b.Build({b.Op("Neg", {y})});
  const FakePassContext context = DeviceFirst();
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 2);
  EXPECT_EQ(OnDevice(graph), (std::vector<std::string>{"Exp", "Neg"}));
}

TEST(PartitionDevices, LeavesArithmeticOnShapesToTheHost) {
  GraphBuilder b;
  const ValueId n = b.Input("n", {4}, DType::kInt64);
  Graph graph = b.Build({b.Op("Mul", {n, n})});
  EXPECT_EQ(RunPass(PartitionDevices, graph, DeviceFirst()), 0);
}

TEST(PartitionDevices, LeavesWhatDependsOnShapesOfDataToTheHost) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {256});
  const ValueId found = b.Op("NonZero", {b.Op("Exp", {x})});
  Graph graph = b.Build({b.Op("Cast", {found}, [] {
    Attributes attributes;
    attributes.Set("to", int64_t{1});
    return attributes;
  }())});
  EXPECT_EQ(RunPass(PartitionDevices, graph, DeviceFirst()), 1);
  EXPECT_EQ(OnDevice(graph), std::vector<std::string>{"Exp"});
}

TEST(PartitionDevices, GivesNothingToADeviceThatIsLost) {
  Graph graph = ReluOfProduct();
  const FakePassContext context = DeviceFirst();
  DeviceOf(context).set_usable(false);
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 0);
}

TEST(PartitionDevices, DecidesAnewForNodesThatWereOnADevice) {
  Graph graph = ReluOfProduct();
  RunPass(PartitionDevices, graph, DeviceFirst());
  EXPECT_EQ(RunPass(PartitionDevices, graph, DeviceFirst("Relu")), 1);
  EXPECT_EQ(OnDevice(graph), std::vector<std::string>{"MatMul"});
}

// The device runs the parts, but not as one node.
FakePassContext DeviceOfParts(const std::string& whole = "") {
  return testing::DeviceFirst([whole](const Graph&, const Node& node) {
    return node.epilogue.empty() && node.op->name != whole;
  });
}

TEST(FuseEpilogues, DoesNotTakeANodeFromADevice) {
  Graph graph = ReluOfProduct();
  EXPECT_EQ(RunPass(FuseEpilogues, graph, DeviceOfParts()), 0);
}

TEST(FuseIntoPointwise, DoesNotTakeANodeFromADevice) {
  GraphBuilder b;
  Attributes axis;
  axis.Set("axis", int64_t{1});
  const ValueId joined =
      b.Op("Concat", {b.Input("x", {1, 3, 4, 5}), b.Input("y", {1, 4, 4, 5})}, axis);
  const ValueId channels = b.Weights(Shape({7}));
  const ValueId norm = b.Op("BatchNormalization", {joined, channels, channels, channels, channels});
  Graph graph = b.Build({b.Op("Conv", {norm, testing::Filters(b, Shape({4, 7, 1, 1}))})});
  RunPass(FuseNormalizationIntoConcat, graph, testing::SupportsEverything());
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph, DeviceOfParts("JoinedConv")), 0);
  EXPECT_EQ(RunPass(FuseIntoPointwise, graph, testing::SupportsEverything()), 1);
}

TEST(FuseConvPools, LeavesNodesOnADeviceThere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 6, 6});
  const ValueId y = b.Op("Conv", {x, testing::Filters(b, Shape({4, 8, 1, 1}))});
  Graph graph = b.Build({y, b.Op("GlobalAveragePool", {y})});
  const FakePassContext context = DeviceFirst();
  Graph in_host_memory = graph;
  EXPECT_EQ(RunPass(FuseConvPools, in_host_memory, context), 1);
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 2);
  EXPECT_EQ(RunPass(FuseConvPools, graph, context), 0);
}

TEST(FuseExpansions, LeavesNodesOnADeviceThere) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 8, 64, 64});
  const ValueId wide = b.Op("Conv", {x, testing::Filters(b, Shape({160, 8, 1, 1}))});
  Attributes depthwise;
  depthwise.Set("group", int64_t{160});
  Graph graph =
      b.Build({b.Op("Conv", {wide, testing::Filters(b, Shape({160, 1, 3, 3}))}, depthwise)});
  const FakePassContext context = DeviceFirst();
  Graph in_host_memory = graph;
  EXPECT_EQ(RunPass(FuseExpansions, in_host_memory, context), 1);
  EXPECT_EQ(RunPass(PartitionDevices, graph, context), 2);
  EXPECT_EQ(RunPass(FuseExpansions, graph, context), 0);
}

TEST(SinkViews, DoesNotTakeANodeFromADevice) {
  GraphBuilder b;
  const ValueId product = b.Op("Gemm", {b.Input("x", {6, 4}), b.Weights(Shape({4, 5}))});
  const ValueId view = b.Op("Reshape", {product, b.Constant<int64_t>(Shape({3}), {2, 3, 5})});
  Graph graph = b.Build({b.Op("Gelu", {view})});
  FakePassContext context = testing::DeviceFirst([](const Graph& g, const Node& node) {
    return g.value(node.outputs[0]).type.shape.rank() == 3;
  });
  context.config.precision = Precision::kBfloat16;
  EXPECT_EQ(RunPass(SinkViews, graph, context), 0);
}

}  // namespace
}  // namespace inferd
