#include <cmath>

#include "engine/graph/derived_constant.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/providers.h"
#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::CountOps;
using testing::FakePassContext;
using testing::FakeProvider;
using testing::GraphBuilder;
using testing::RandomTensor;
using testing::RunPass;
using testing::RunPortable;

FakePassContext Asking(FakeProvider::Supported supported) {
  FakePassContext context;
  context.config.precision = Precision::kBfloat16;
  context.providers.push_back(std::make_unique<FakeProvider>(
      std::move(supported), [](const Node&) { return LayoutPreference::kAny; }));
  return context;
}

FakePassContext AskingAProviderOfEverything() {
  return Asking([](const Graph&, const Node&) { return true; });
}

DType TypeAfter(const Graph& graph, absl::string_view op) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name == op) return graph.value(graph.node(id).outputs[0]).type.dtype;
  }
  return DType::kInvalid;
}

Attributes With(absl::string_view name, Attributes::Value value) {
  Attributes attributes;
  attributes.Set(name, std::move(value));
  return attributes;
}

TEST(AssignPrecision, ChangesNothingUnlessItIsAskedTo) {
  GraphBuilder b;
  Graph graph = b.Build({b.Op("MatMul", {b.Input("x", {2, 3}), b.Weights(Shape({3, 4}))})});
  FakePassContext context = AskingAProviderOfEverything();
  context.config.precision = Precision::kFloat32;
  EXPECT_EQ(RunPass(AssignPrecision, graph, context), 0);
}

TEST(AssignPrecision, CastsTheInputOnceAndKeepsTheOutputsType) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 2, 5, 5});
  const ValueId a = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  const ValueId c = b.Op("Conv", {x, b.Weights(Shape({3, 2, 3, 3}))});
  const ValueId sum = b.Op("Relu", {b.Op("Add", {a, c})});
  Graph graph = b.Build({b.Op("Conv", {sum, b.Weights(Shape({3, 3, 1, 1}))})});
  EXPECT_GT(RunPass(AssignPrecision, graph, AskingAProviderOfEverything()), 0);
  EXPECT_EQ(CountOps(graph, "Cast"), 1);
  EXPECT_EQ(TypeAfter(graph, "Add"), DType::kBfloat16);
  EXPECT_EQ(TypeAfter(graph, "Relu"), DType::kBfloat16);
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DType::kFloat32);
}

TEST(AssignPrecision, TakesAFloat16InputAsItCame) {
  GraphBuilder b;
  const ValueId half = b.Input("x", {2, 3}, DType::kFloat16);
  const ValueId x = b.Op("Cast", {half}, With("to", static_cast<int64_t>(DType::kFloat32)));
  const ValueId a = b.Op("MatMul", {x, b.Weights(Shape({3, 3}))});
  Graph graph = b.Build({b.Op("MatMul", {a, b.Weights(Shape({3, 3}))}), b.Op("Size", {half})});
  FakePassContext context = AskingAProviderOfEverything();
  context.config.precision = Precision::kFloat16;
  EXPECT_GT(RunPass(AssignPrecision, graph, context), 0);
  EXPECT_EQ(CountOps(graph, "Cast"), 0);
  EXPECT_EQ(TypeAfter(graph, "MatMul"), DType::kFloat16);
  EXPECT_EQ(graph.value(graph.outputs()[0]).type.dtype, DType::kFloat32);
}

// x + MatMul(LayerNorm(x)), twice.
Graph TwoResiduals(int64_t rows, int64_t columns) {
  GraphBuilder b;
  ValueId x = b.Input("x", {1, rows, columns});
  for (int i = 0; i < 2; ++i) {
    const ValueId norm = b.Op("LayerNormalization", {x, b.Weights(Shape({columns}))});
    x = b.Op("Add", {x, b.Op("MatMul", {norm, b.Weights(Shape({columns, columns}))})});
  }
  return b.Build({b.Op("LayerNormalization", {x, b.Weights(Shape({columns}))})});
}

TEST(AssignPrecision, KeepsAResidualStreamInFloats) {
  Graph graph = TwoResiduals(3, 8);
  RunPass(AssignPrecision, graph, AskingAProviderOfEverything());
  EXPECT_EQ(CountOps(graph, "Cast"), 0);
  EXPECT_EQ(TypeAfter(graph, "LayerNormalization"), DType::kBfloat16);
  EXPECT_EQ(TypeAfter(graph, "MatMul"), DType::kFloat32);
  EXPECT_EQ(TypeAfter(graph, "Add"), DType::kFloat32);
}

TEST(AssignPrecision, GivesFloatsToNodesThatNoProviderRunsOtherwise) {
  const auto supported = [](const Graph& graph, const Node& node) {
    const DType type = graph.value(node.inputs[0]).type.dtype;
    return node.op->name != "Relu" || type == DType::kFloat32;
  };
  GraphBuilder b;
  const ValueId a = b.Op("MatMul", {b.Input("x", {2, 3}), b.Weights(Shape({3, 3}))});
  const ValueId twice = b.Op("MatMul", {a, b.Weights(Shape({3, 3}))});
  Graph graph = b.Build({b.Op("Relu", {a}), twice});
  RunPass(AssignPrecision, graph, Asking(supported));
  EXPECT_EQ(CountOps(graph, "Cast"), 2);  // of the input, and of what Relu reads
  EXPECT_EQ(TypeAfter(graph, "Relu"), DType::kFloat32);
}

TEST(AssignPrecision, LeavesMaskConstantsInFloats) {
  GraphBuilder b;
  const ValueId mask = b.Input("mask", {1, 4}, DType::kBool);
  const ValueId bias = b.Op("Where", {mask, b.Scalar(0), b.Scalar(-3.4028235e38f)});
  const ValueId scores = b.Op("MatMul", {b.Input("x", {4, 3}), b.Weights(Shape({3, 4}))});
  Graph graph = b.Build({b.Op("Softmax", {b.Op("Add", {scores, bias})})});
  RunPass(AssignPrecision, graph, AskingAProviderOfEverything());
  EXPECT_EQ(TypeAfter(graph, "Where"), DType::kFloat32);
  EXPECT_EQ(TypeAfter(graph, "MatMul"), DType::kFloat32);
}

// The constant that the only Concat reads first.
const Tensor& ConcatConstant(const Graph& graph) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).op->name == "Concat") return *graph.constant(graph.node(id).inputs[0]);
  }
  return *graph.constant(graph.outputs()[0]);
}

TEST(AssignPrecision, ConvertsALargeConstantOnlyWhenItIsReadAndEachBindingAlike) {
  constexpr int64_t kFloats = 32 << 10;
  const auto set = std::make_shared<RecoverySet>();
  const auto bytes = RecoverableBytes::Make(set, kFloats * 4, "thirds", [](void* to) {
    std::fill_n(static_cast<float*>(to), kFloats, 1.0f / 3.0f);
    return absl::OkStatus();
  });
  GraphBuilder b;
  const ValueId token =
      b.graph().AddConstant("", Tensor::Recoverable(DType::kFloat32, Shape({1, kFloats}), *bytes));
  const ValueId row = b.Op("MatMul", {b.Input("x", {1, 3}), b.Weights(Shape({3, kFloats}))});
  const ValueId rows = b.Op("Concat", {token, row}, With("axis", int64_t{0}));
  const Graph graph = b.Build({b.Op("MatMul", {rows, b.Weights(Shape({kFloats, 2}))})});
  Graph first = graph;
  Graph second = graph;
  RunPass(AssignPrecision, first, AskingAProviderOfEverything());
  RunPass(AssignPrecision, second, AskingAProviderOfEverything());
  const Tensor& converted = ConcatConstant(first);
  ASSERT_EQ(converted.dtype(), DType::kBfloat16);
  ASSERT_NE(converted.recoverable(), nullptr);
  EXPECT_EQ(set->resident_bytes(), 0);
  EXPECT_EQ(ConstantOrigin(converted), ConstantOrigin(ConcatConstant(second)));
  const RecoverySet::Reading reading(*set);
  EXPECT_EQ(converted.data<Bfloat16>()[kFloats - 1].bits, Bfloat16(1.0f / 3.0f).bits);
  EXPECT_EQ(set->resident_bytes(), kFloats * 2);  // the floats went again
}

// Runs the graph as a compiled model would in bfloat16 and compares with the portable kernels.
void ExpectNearInBfloat16(const Graph& graph, const std::vector<Tensor>& inputs) {
  EngineConfig config;
  config.precision = Precision::kBfloat16;
  const auto providers = MakeProviders(config).value();
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  Graph bound = BindShapes(graph, shapes).value();
  const auto passes = RunPasses(BoundPasses(), bound, {config, providers});
  ASSERT_TRUE(passes.ok()) << passes.status();
  int changes = 0;
  for (const PassResult& pass : *passes) changes += pass.name == "assign_precision" && pass.changes;
  EXPECT_GT(changes, 0);
  WeightStore weights;
  PlanOptions options;
  options.providers = providers;
  options.weights = &weights;
  options.max_arena_bytes = int64_t{1} << 30;
  options.config = &config;
  const auto plan = BuildPlan(bound, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  Executor executor(*plan);
  CoreSlot slot(1);
  std::vector<Tensor> outputs;
  const absl::Status status = executor.Run(slot, inputs, &outputs);
  ASSERT_TRUE(status.ok()) << status;
  const std::vector<Tensor> expected = RunPortable(graph, inputs);
  ASSERT_EQ(outputs.size(), expected.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    ASSERT_EQ(outputs[i].shape(), expected[i].shape());
    ASSERT_EQ(outputs[i].dtype(), DType::kFloat32);
    double most = 0;
    double wrong = 0;
    for (int64_t k = 0; k < expected[i].num_elements(); ++k) {
      const double e = expected[i].data<float>()[k];
      most = std::max(most, std::abs(e));
      const double difference = std::abs(e - outputs[i].data<float>()[k]);
      wrong = std::isnan(difference) ? 1e9 : std::max(wrong, difference);
    }
    EXPECT_LE(wrong, 1e-2 * most) << (*plan)->ToString();
  }
}

// Small weights of both signs, so that layers do not blow up.
ValueId Random(GraphBuilder& b, const Shape& shape, int seed) {
  Tensor weights = RandomTensor(shape, seed);
  const float scale =
      1.0f / std::sqrt(static_cast<float>(std::max<int64_t>(1, shape.num_elements() / shape[0])));
  for (int64_t i = 0; i < weights.num_elements(); ++i) weights.mutable_data<float>()[i] *= scale;
  return b.graph().AddConstant("", std::move(weights));
}

class Bfloat16Answers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!cpu::ComputesBfloat16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  }
};

TEST_F(Bfloat16Answers, OfConvolutionalBlocksOverOddShapes) {
  for (const auto& [channels, size, rows] :
       {std::tuple<int64_t, int64_t, int64_t>{3, 7, 1}, {16, 13, 2}, {33, 9, 3}, {64, 5, 1}}) {
    GraphBuilder b;
    const Attributes padded = With("pads", std::vector<int64_t>{1, 1, 1, 1});
    const ValueId x = b.Input("x", {rows, 3, size, size});
    ValueId y =
        b.Op("Conv", {x, Random(b, {channels, 3, 3, 3}, 1), Random(b, {channels}, 2)}, padded);
    y = b.Op("HardSwish", {y});
    Attributes depthwise = padded;
    depthwise.Set("group", channels);
    ValueId z = b.Op("Relu", {b.Op("Conv", {y, Random(b, {channels, 1, 3, 3}, 3)}, depthwise)});
    const ValueId squeezed = b.Op("GlobalAveragePool", {z});
    const ValueId gate =
        b.Op("Sigmoid", {b.Op("Conv", {squeezed, Random(b, {channels, channels, 1, 1}, 4)})});
    z = b.Op("Conv", {b.Op("Mul", {z, gate}), Random(b, {channels, channels, 1, 1}, 5)});
    y = b.Op("Add", {y, z});
    const Attributes kernel = With("kernel_shape", std::vector<int64_t>{2, 2});
    y = b.Op("Concat", {b.Op("MaxPool", {y}, kernel), b.Op("AveragePool", {z}, kernel)},
             With("axis", int64_t{1}));
    y = b.Op("Conv", {y, Random(b, {channels, 2 * channels, 3, 3}, 6)}, padded);
    y = b.Op("Flatten", {b.Op("GlobalAveragePool", {y})});
    y = b.Op("Gemm", {y, Random(b, {channels, 5}, 7), Random(b, {5}, 8)});
    ExpectNearInBfloat16(b.Build({y}), {RandomTensor({rows, 3, size, size})});
  }
}

TEST_F(Bfloat16Answers, OfNormalizedAndTransposedConvolutions) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 19, 7, 5});
  ValueId y = b.Op("Conv", {x, Random(b, {19, 19, 1, 1}, 1)});
  std::vector<ValueId> normalized = {b.Op("Concat", {x, y}, With("axis", int64_t{1}))};
  for (int i = 0; i < 3; ++i) normalized.push_back(Random(b, {38}, 2 + i));
  normalized.push_back(b.Constant<float>(Shape({38}), std::vector<float>(38, 2.0f)));
  y = b.Op("Relu", {b.Op("BatchNormalization", normalized)});
  y = b.Op("ConvTranspose", {y, Random(b, {38, 6, 3, 3}, 5)});
  y = b.Op("Conv", {y, Random(b, {7, 6, 1, 1}, 6)});
  ExpectNearInBfloat16(b.Build({y}), {RandomTensor({2, 19, 7, 5})});
}

TEST_F(Bfloat16Answers, OfUpsamplingConvolutionsOfFewChannels) {
  for (const int64_t channels : {1, 5, 40}) {
    GraphBuilder b;
    ValueId x = b.Input("x", {2, 7, 6, 5});
    Attributes twice = With("strides", std::vector<int64_t>{2, 2});
    twice.Set("kernel_shape", std::vector<int64_t>{2, 2});
    x = b.Op("Conv", {x, Random(b, {channels, 7, 1, 1}, 1)});
    x = b.Op("ConvTranspose", {x, Random(b, {channels, 3, 2, 2}, 2), Random(b, {3}, 3)}, twice);
    x = b.Op("ConvTranspose", {b.Op("Relu", {x}), Random(b, {3, channels, 2, 2}, 4)}, twice);
    x = b.Op("Conv", {x, Random(b, {4, channels, 1, 1}, 5)});
    ExpectNearInBfloat16(b.Build({x}), {RandomTensor({2, 7, 6, 5})});
  }
}

// Attention and a feed-forward block over `rows` rows.
Graph Transformer(int64_t batch, int64_t rows, int64_t heads, int64_t depth) {
  GraphBuilder b;
  const int64_t width = heads * depth;
  const auto shape = [&](std::vector<int64_t> dims) {
    const int64_t rank = static_cast<int64_t>(dims.size());
    return b.Constant<int64_t>(Shape({rank}), std::move(dims));
  };
  const auto perm = [](std::vector<int64_t> order) { return With("perm", std::move(order)); };
  const ValueId x = b.Input("x", {batch, rows, width});
  const ValueId norm =
      b.Op("LayerNormalization", {x, Random(b, {width}, 1), Random(b, {width}, 2)});
  std::vector<ValueId> parts;
  for (int i = 0; i < 3; ++i) {
    ValueId part = b.Op("MatMul", {norm, Random(b, {width, width}, 3 + i)});
    part = b.Op("Add", {part, Random(b, {width}, 6 + i)});
    part = b.Op("Reshape", {part, shape({batch, rows, heads, depth})});
    parts.push_back(
        b.Op("Transpose", {part},
             perm(i == 1 ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3})));
  }
  ValueId scores = b.Op("MatMul", {parts[0], parts[1]});
  scores = b.Op("Softmax", {b.Op("Div", {scores, b.Scalar(std::sqrt(static_cast<float>(depth)))})});
  ValueId y = b.Op("Transpose", {b.Op("MatMul", {scores, parts[2]})}, perm({0, 2, 1, 3}));
  y = b.Op("MatMul",
           {b.Op("Reshape", {y, shape({batch, rows, width})}), Random(b, {width, width}, 9)});
  const ValueId sum = b.Op("Add", {x, y});
  y = b.Op("LayerNormalization", {sum, Random(b, {width}, 10)});
  y = b.Op("Gelu", {b.Op("Add", {b.Op("MatMul", {y, Random(b, {width, 3 * width}, 11)}),
                                 Random(b, {3 * width}, 12)})});
  y = b.Op("MatMul", {y, Random(b, {3 * width, width}, 13)});
  return b.Build({b.Op("Add", {sum, y})});
}

TEST_F(Bfloat16Answers, OfTransformersOverOddShapes) {
  for (const auto& [batch, rows, heads, depth] :
       {std::tuple<int64_t, int64_t, int64_t, int64_t>{1, 1, 1, 8},
        {2, 7, 3, 16},
        {1, 33, 2, 32},
        {3, 17, 5, 11}}) {
    ExpectNearInBfloat16(Transformer(batch, rows, heads, depth),
                         {RandomTensor({batch, rows, heads * depth})});
  }
}

TEST_F(Bfloat16Answers, OfDepthwiseConvolutionsOfLargeWindows) {
  for (const int64_t channels : {8, 33, 200}) {
    GraphBuilder b;
    ValueId x = b.Input("x", {2, 3, 13, 15});
    x = b.Op("Conv", {x, Random(b, {channels, 3, 1, 1}, 1)});
    for (const int64_t kernel : {3, 5, 7}) {
      Attributes attributes = With("pads", std::vector<int64_t>(4, kernel / 2));
      attributes.Set("group", channels);
      const ValueId y =
          b.Op("Conv", {x, Random(b, {channels, 1, kernel, kernel}, 2), Random(b, {channels}, 3)},
               attributes);
      x = b.Op("Add", {b.Op("HardSwish", {y}), x});
    }
    ExpectNearInBfloat16(b.Build({b.Op("Conv", {x, Random(b, {4, channels, 1, 1}, 4)})}),
                         {RandomTensor({2, 3, 13, 15})});
  }
}

TEST_F(Bfloat16Answers, OfDeepProductsWithAndWithoutBias) {
  for (const int64_t rows : {1, 33, 300}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {rows, 40});
    const ValueId deep = b.Op("Relu", {b.Op("MatMul", {x, Random(b, {40, 1568}, 1)})});
    const ValueId sum =
        b.Op("Add", {b.Op("MatMul", {deep, Random(b, {1568, 64}, 2)}),
                     b.Op("Gemm", {deep, Random(b, {64, 1568}, 3), Random(b, {64}, 4)},
                          With("transB", int64_t{1}))});
    const ValueId plain = b.Op("Gemm", {deep, Random(b, {1568, 64}, 5)});
    ExpectNearInBfloat16(b.Build({sum, plain}), {RandomTensor({rows, 40})});
  }
}

TEST_F(Bfloat16Answers, OfProductsOfRaggedSizesWithEpilogues) {
  for (const int64_t rows : {1, 20, 257}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {rows, 37});
    ValueId y = b.Op("MatMul", {x, Random(b, {37, 1100}, 1)});
    y = b.Op("Gelu", {b.Op("Add", {y, Random(b, {1100}, 2)})});
    y = b.Op("Gemm", {y, Random(b, {1100, 70}, 3), Random(b, {70}, 4)});
    y = b.Op("MatMul", {b.Op("Swish", {y}), Random(b, {70, 33}, 5)});
    ExpectNearInBfloat16(b.Build({b.Op("MatMul", {y, Random(b, {33, 19}, 6)})}),
                         {RandomTensor({rows, 37})});
  }
}

TEST_F(Bfloat16Answers, OfElementwiseOperandsOfAnyShape) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {3, 5, 37});
  const auto product = [&](ValueId value, int seed) {
    return b.Op("MatMul", {value, Random(b, {37, 37}, seed)});
  };
  const ValueId first = product(b.Op("Tanh", {product(x, 1)}), 2);
  const ValueId row = b.Op("ReduceMean", {first, b.Constant<int64_t>(Shape({1}), {1})});
  const ValueId column =
      b.Op("Slice", {first, b.Constant<int64_t>(Shape({1}), {3}),
                     b.Constant<int64_t>(Shape({1}), {4}), b.Constant<int64_t>(Shape({1}), {2})});
  ValueId y = b.Op("Sub", {b.Op("Mul", {first, product(row, 3)}), b.Op("Sigmoid", {column})});
  y = b.Op("Max", {y, b.Op("Abs", {column})});
  ExpectNearInBfloat16(b.Build({product(y, 4)}), {RandomTensor({3, 5, 37})});
}

}  // namespace
}  // namespace inferd
