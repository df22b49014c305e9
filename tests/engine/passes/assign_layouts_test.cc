#include "engine/passes/kept_bytes.h"
#include "engine/plan/binder.h"
#include "engine/providers/providers.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::ExpectSameOnTheProcessor;
using testing::FakePassContext;
using testing::FakeProvider;
using testing::Filters;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;

// Convolutions want channels-last, Relu and Add take either.
FakePassContext ConvolutionsChannelsLast() {
  FakePassContext context;
  context.providers.push_back(std::make_unique<FakeProvider>(
      [](const Graph&, const Node& node) { return node.op->name != "Softmax"; },
      [](const Node& node) {
        return node.op->name == "Conv" ? LayoutPreference::kChannelsLast : LayoutPreference::kAny;
      }));
  return context;
}

TEST(AssignLayouts, ReordersOnceAtEachBorderOfAChain) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId a = b.Op("Relu", {b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))})});
  const ValueId c = b.Op("Conv", {a, b.Weights(Shape({3, 3, 1, 1}))});
  Graph graph = b.Build({b.Op("Relu", {b.Op("Add", {a, c})})});
  EXPECT_EQ(RunPass(AssignLayouts, graph, ConvolutionsChannelsLast()), 2);
  EXPECT_EQ(CountOps(graph, "Reorder"), 2);
  EXPECT_EQ(graph.value(graph.outputs()[0]).layout, Layout::kRowMajor);
}

TEST(AssignLayouts, GivesRowMajorToNodesOfThePortableProvider) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId a = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  Graph graph = b.Build({b.Op("Softmax", {a})});
  RunPass(AssignLayouts, graph, ConvolutionsChannelsLast());
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name != "Softmax") continue;
    EXPECT_EQ(graph.value(graph.node(id).inputs[0]).layout, Layout::kRowMajor);
  }
}

TEST(AssignLayouts, LeavesAGraphWithoutConvolutionsAlone) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  Graph graph = b.Build({b.Op("Relu", {x})});
  EXPECT_EQ(RunPass(AssignLayouts, graph, ConvolutionsChannelsLast()), 0);
}

// Tokens [1,20,3] as an image [1,3,4,5].
ValueId ImageOfTokens(GraphBuilder& b, ValueId tokens) {
  Attributes order;
  order.Set("perm", std::vector<int64_t>{0, 2, 1});
  return b.Op("Reshape",
              {b.Op("Transpose", {tokens}, order), b.Constant<int64_t>(Shape({4}), {1, 3, 4, 5})});
}

TEST(AssignLayouts, CarriesChannelsLastThroughWhatThenMovesNothing) {
  GraphBuilder b;
  const ValueId image = ImageOfTokens(b, b.Input("x", {1, 20, 3}));
  Graph graph = b.Build({b.Op("Conv", {image, b.Weights(Shape({2, 3, 4, 5}))})});
  RunPass(AssignLayouts, graph, ConvolutionsChannelsLast());
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name != "Transpose" && graph.node(id).op->name != "Reshape") continue;
    EXPECT_EQ(graph.value(graph.node(id).outputs[0]).layout, Layout::kChannelsLast);
  }
}

TEST(AssignLayouts, KeepsRowsWhereChannelsLastWouldMoveAsMuch) {
  GraphBuilder b;
  const ValueId image = ImageOfTokens(b, b.Input("x", {1, 20, 3}));
  Graph graph = b.Build({b.Op("Relu", {image})});
  EXPECT_EQ(RunPass(AssignLayouts, graph, ConvolutionsChannelsLast()), 0);
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    EXPECT_EQ(graph.value(id).layout, Layout::kRowMajor);
  }
}

TEST(AssignLayouts, ReadsOperandsOfOtherRanksRowMajor) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 4, 5});
  const ValueId line = b.Input("line", {3, 3, 5});
  const ValueId a = b.Op("Conv", {x, b.Weights(Shape({3, 3, 1, 1}))});
  const ValueId c = b.Op("Conv", {line, b.Weights(Shape({4, 3, 1}))});
  Graph graph = b.Build({b.Op("Add", {a, c})});
  RunPass(AssignLayouts, graph, ConvolutionsChannelsLast());
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name != "Add") continue;
    EXPECT_EQ(graph.value(graph.node(id).inputs[0]).layout, Layout::kChannelsLast);
    EXPECT_EQ(graph.value(graph.node(id).inputs[1]).layout, Layout::kRowMajor);
  }
}

// Models that take the same values as tokens and as images, on the processor and on the portable
// kernels.

constexpr int64_t kBatch = 2;
constexpr int64_t kHeight = 6;
constexpr int64_t kWidth = 5;
constexpr int64_t kChannels = 16;

Attributes Order(std::vector<int64_t> perm) {
  Attributes attributes;
  attributes.Set("perm", std::move(perm));
  return attributes;
}

Attributes Groups(int64_t groups, int64_t stride = 1) {
  Attributes attributes;
  attributes.Set("group", groups);
  attributes.Set("pads", std::vector<int64_t>(4, 1));
  attributes.Set("strides", std::vector<int64_t>(2, stride));
  return attributes;
}

ValueId Reshaped(GraphBuilder& b, ValueId x, const std::vector<int64_t>& shape) {
  return b.Op("Reshape", {x, b.Constant<int64_t>(Shape({static_cast<int64_t>(shape.size())}),
                                                 std::vector<int64_t>(shape))});
}

// [N,HW,C] -> [N,C,H,W] by way of [N,C,HW].
ValueId ToImage(GraphBuilder& b, ValueId tokens) {
  return Reshaped(b, b.Op("Transpose", {tokens}, Order({0, 2, 1})),
                  {kBatch, kChannels, kHeight, kWidth});
}

// And back, for any size of image.
ValueId ToTokens(GraphBuilder& b, ValueId image, int64_t channels = kChannels) {
  return b.Op("Transpose", {Reshaped(b, image, {kBatch, channels, -1})}, Order({0, 2, 1}));
}

ValueId Product(GraphBuilder& b, ValueId x) {
  return b.Op("MatMul", {x, Filters(b, Shape({kChannels, kChannels}))});
}

ValueId Conv3x3(GraphBuilder& b, ValueId x, int64_t groups = 1, int64_t stride = 1) {
  return b.Op("Conv", {x, Filters(b, Shape({kChannels, kChannels / groups, 3, 3}))},
              Groups(groups, stride));
}

GraphBuilder WithTokens(ValueId* x) {
  GraphBuilder b;
  *x = b.Input("x", {kBatch, kHeight * kWidth, kChannels});
  return b;
}

// Checks the answers, and that Reorders and Transposes write `bytes` in each run.
void ExpectMoved(const Graph& graph, int64_t bytes) {
  EngineConfig config;
  config.optimization_level = "all";
  const auto providers = MakeProviders(config).value();
  const Shape shape = graph.value(graph.inputs()[0]).type.shape.ToShape();
  Graph bound = BindShapes(graph, {shape}).value();
  ASSERT_TRUE(RunPasses(BoundPasses(), bound, {config, providers}).ok());
  EXPECT_EQ(BytesMoved(bound), bytes) << bound.ToString();
  for (const int threads : {1, 2}) {
    ExpectSameOnTheProcessor(graph, RandomTensor(shape), threads, {}, 1e-3f);
  }
}

TEST(TokenImages, TokensThroughADepthwiseConvolutionAreNotMoved) {
  for (const int64_t stride : {1, 2}) {
    ValueId x;
    GraphBuilder b = WithTokens(&x);
    const ValueId y = ToTokens(b, Conv3x3(b, ToImage(b, Product(b, x)), kChannels, stride));
    ExpectMoved(b.Build({Product(b, y)}), 0);
  }
}

TEST(TokenImages, TokensThroughAGroupedConvolutionAreNotMoved) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  ExpectMoved(b.Build({Product(b, ToTokens(b, Conv3x3(b, ToImage(b, x), 2)))}), 0);
}

TEST(TokenImages, ImagesOfTokensWhoseRowsAreSplitFirstAreNotMoved) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId rows = Reshaped(b, Product(b, x), {kBatch, kHeight, kWidth, kChannels});
  const ValueId y = Conv3x3(b, b.Op("Transpose", {rows}, Order({0, 3, 1, 2})));
  const ValueId back = b.Op("Transpose", {y}, Order({0, 2, 3, 1}));
  ExpectMoved(b.Build({Product(b, Reshaped(b, back, {kBatch, -1, kChannels}))}), 0);
}

TEST(TokenImages, OnlyTheImageOfAPatchEmbeddingIsMoved) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kBatch, 3, 12, 8});
  Attributes patches;
  patches.Set("strides", std::vector<int64_t>{4, 4});
  const ValueId y = b.Op("Conv", {x, Filters(b, Shape({kChannels, 3, 4, 4}))}, patches);
  ExpectMoved(b.Build({Product(b, ToTokens(b, y))}), kBatch * 3 * 12 * 8 * 4);
}

TEST(TokenImages, AResidualBesideAConvolutionIsNotMoved) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId image = ToImage(b, Product(b, x));
  const ValueId sum = b.Op("Add", {b.Op("Relu", {Conv3x3(b, image)}), image});
  ExpectMoved(b.Build({b.Op("Add", {Product(b, ToTokens(b, sum)), x})}), 0);
}

TEST(TokenImages, ElementwiseNodesBetweenFollow) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId turned = b.Op("Transpose", {Product(b, x)}, Order({0, 2, 1}));
  const ValueId scaled = b.Op("Mul", {turned, Filters(b, Shape({kChannels, 1}))});
  const ValueId image = Reshaped(b, scaled, {kBatch, kChannels, kHeight, kWidth});
  const ValueId flat = Reshaped(b, Conv3x3(b, image), {kBatch, kChannels, kHeight * kWidth});
  const ValueId sum = b.Op("Sigmoid", {b.Op("Add", {flat, turned})});
  const ValueId y = b.Op("Relu", {b.Op("Transpose", {sum}, Order({0, 2, 1}))});
  ExpectMoved(b.Build({Product(b, y)}), 0);
}

TEST(TokenImages, ATransposeWithAnEpilogueIsNoneOnceItMovesNothing) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId image = Conv3x3(b, ToImage(b, x));
  const ValueId rows = b.Op("Transpose", {image}, Order({0, 2, 3, 1}));
  const ValueId product = b.Op("Transpose", {Product(b, rows)}, Order({0, 3, 1, 2}));
  const ValueId scaled = b.Op("Mul", {Filters(b, Shape({kChannels, 1, 1})), product});
  const ValueId sum = b.Op("Relu", {b.Op("Sub", {image, scaled})});
  ExpectMoved(b.Build({Product(b, ToTokens(b, Conv3x3(b, sum)))}), 0);
}

TEST(TokenImages, ConvolutionsOfOneAxisTakeTokensAsTheyAre) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId turned = b.Op("Transpose", {Product(b, x)}, Order({0, 2, 1}));
  const ValueId y = b.Op("Conv", {turned, Filters(b, Shape({kChannels, kChannels, 3}))});
  ExpectMoved(b.Build({Product(b, b.Op("Transpose", {y}, Order({0, 2, 1})))}), 0);
}

TEST(TokenImages, ImagesOfOneRowAreNotMoved) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId axis = b.Constant<int64_t>(Shape({1}), {2});
  const ValueId turned = b.Op("Transpose", {Product(b, x)}, Order({0, 2, 1}));
  const ValueId y = b.Op("Squeeze", {Conv3x3(b, b.Op("Unsqueeze", {turned, axis})), axis});
  ExpectMoved(b.Build({Product(b, b.Op("Transpose", {y}, Order({0, 2, 1})))}), 0);
}

TEST(TokenImages, TheMeanOfPixelsReadsTokens) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId mean = b.Op("GlobalAveragePool", {ToImage(b, Product(b, x))});
  ExpectMoved(b.Build({Reshaped(b, mean, {kBatch, kChannels})}), 0);
}

TEST(TokenImages, ATransposeThatChangesTheChannelsMoves) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId image = Reshaped(b, x, {kBatch, kChannels, kHeight, kWidth});
  const ValueId y = Conv3x3(b, b.Op("Transpose", {image}, Order({0, 1, 3, 2})));
  const int64_t bytes = kBatch * kHeight * kWidth * kChannels * 4;
  ExpectMoved(b.Build({Product(b, ToTokens(b, y))}), 2 * bytes);
}

TEST(TokenImages, ValuesThatOthersReadRowByRowAreMovedOnce) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId turned = b.Op("Transpose", {Product(b, x)}, Order({0, 2, 1}));
  const ValueId mixed =
      b.Op("MatMul", {turned, Filters(b, Shape({kHeight * kWidth, kHeight * kWidth}))});
  const ValueId back = b.Op("Transpose", {mixed}, Order({0, 2, 1}));
  const int64_t bytes = kBatch * kHeight * kWidth * kChannels * 4;
  ExpectMoved(b.Build({Product(b, back)}), 2 * bytes);
}

TEST(TokenImages, ImagesThatAreAnAnswerAreMovedOnce) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const int64_t bytes = kBatch * kHeight * kWidth * kChannels * 4;
  ExpectMoved(b.Build({Conv3x3(b, ToImage(b, x))}), bytes);
}

TEST(TokenImages, ConstantsAreReadAsTheyAreStored) {
  ValueId x;
  GraphBuilder b = WithTokens(&x);
  const ValueId position = Filters(b, Shape({kBatch, kHeight * kWidth, kChannels}));
  const ValueId sum = b.Op("Add", {Conv3x3(b, ToImage(b, x)), ToImage(b, position)});
  ExpectMoved(b.Build({Product(b, ToTokens(b, Conv3x3(b, sum)))}), 0);
}

}  // namespace
}  // namespace inferd
