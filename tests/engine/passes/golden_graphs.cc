#include "tests/engine/passes/golden_graphs.h"

#include "tests/support/graph_builder.h"

namespace inferd::testing {
namespace {

Attributes Ints(const std::string& name, std::vector<int64_t> values) {
  Attributes attributes;
  attributes.Set(name, std::move(values));
  return attributes;
}

Attributes Int(const std::string& name, int64_t value) {
  Attributes attributes;
  attributes.Set(name, value);
  return attributes;
}

ValueId Numbers(GraphBuilder& b, std::vector<int64_t> numbers) {
  const Shape shape({static_cast<int64_t>(numbers.size())});
  return b.Constant<int64_t>(shape, std::move(numbers));
}

// x.size(axis) as TorchScript exports it for a Concat.
ValueId SizeOf(GraphBuilder& b, ValueId x, int64_t axis) {
  const ValueId size = b.Op("Gather", {b.Op("Shape", {x}), b.Constant<int64_t>(Shape(), {axis})});
  return b.Op("Unsqueeze", {size, Numbers(b, {0})});
}

ValueId Mean(GraphBuilder& b, ValueId x) { return b.Op("ReduceMean", {x, Numbers(b, {-1})}); }

ValueId LayerNormOfOldExports(GraphBuilder& b, ValueId x, int64_t width) {
  const ValueId centred = b.Op("Sub", {x, Mean(b, x)});
  const ValueId variance = Mean(b, b.Op("Pow", {centred, b.Scalar(2)}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {variance, b.Scalar(1e-5f)})});
  const ValueId row = b.Op("Div", {centred, deviation});
  return b.Op("Add", {b.Op("Mul", {row, b.Weights(Shape({width}))}), b.Weights(Shape({width}))});
}

ValueId Linear(GraphBuilder& b, ValueId x, int64_t from, int64_t to) {
  return b.Op("Add", {b.Weights(Shape({to})), b.Op("MatMul", {x, b.Weights(Shape({from, to}))})});
}

// Heads by computed sizes, the products left apart from what attention makes of them.
Graph HeadSplit() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 8});
  const ValueId target =
      b.Op("Concat", {SizeOf(b, x, 0), SizeOf(b, x, 1), Numbers(b, {2}), Numbers(b, {4})},
           Int("axis", 0));
  const ValueId heads = b.Op("Reshape", {Linear(b, x, 8, 8), target});
  const ValueId turned = b.Op("Transpose", {heads}, Ints("perm", {0, 2, 1, 3}));
  const ValueId back =
      b.Op("Transpose", {b.Op("Mul", {turned, b.Scalar(0.5f)})}, Ints("perm", {0, 2, 1, 3}));
  const ValueId flat =
      b.Op("Concat", {SizeOf(b, x, 0), SizeOf(b, x, 1), Numbers(b, {8})}, Int("axis", 0));
  return b.Build({b.Op("Reshape", {back, flat})});
}

// The second half of an encoder layer of TorchScript before opset 17.
Graph EncoderMlp() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 8});
  const ValueId up = Linear(b, x, 8, 16);
  const ValueId erf = b.Op("Erf", {b.Op("Div", {up, b.Scalar(1.41421354f)})});
  const ValueId gelu =
      b.Op("Mul", {b.Op("Mul", {up, b.Op("Add", {erf, b.Scalar(1)})}), b.Scalar(0.5f)});
  const ValueId sum = b.Op("Add", {Linear(b, gelu, 16, 8), x});
  return b.Build({LayerNormOfOldExports(b, sum, 8)});
}

// The gated half of a decoder layer with RMS norms.
Graph DecoderMlp() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 8});
  const ValueId mean = Mean(b, b.Op("Pow", {x, b.Scalar(2)}));
  const ValueId deviation = b.Op("Sqrt", {b.Op("Add", {mean, b.Scalar(1e-6f)})});
  const ValueId row = b.Op("Mul", {x, b.Op("Reciprocal", {deviation})});
  const ValueId normalized = b.Op("Mul", {b.Weights(Shape({8})), row});
  const ValueId gate = b.Op("MatMul", {normalized, b.Weights(Shape({8, 16}))});
  const ValueId silu = b.Op("Mul", {gate, b.Op("Sigmoid", {gate})});
  const ValueId up = b.Op("MatMul", {normalized, b.Weights(Shape({8, 16}))});
  const ValueId down = b.Op("MatMul", {b.Op("Mul", {silu, up}), b.Weights(Shape({16, 8}))});
  return b.Build({b.Op("Add", {x, down})});
}

// Pad, Conv, BatchNormalization, Relu, a residual, a squeeze and its gate.
Graph ConvolutionBlock() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 4, 8, 8});
  const ValueId padded = b.Op("Pad", {x, Numbers(b, {0, 0, 1, 1, 0, 0, 1, 1})});
  const ValueId conv = b.Op("Conv", {padded, b.Weights(Shape({4, 4, 3, 3}))});
  const Shape channels({4});
  const ValueId norm = b.Op("BatchNormalization", {conv, b.Weights(channels), b.Weights(channels),
                                                   b.Weights(channels), b.Weights(channels)});
  const ValueId y = b.Op("Relu", {b.Op("Add", {norm, x})});
  const ValueId pooled = b.Op("GlobalAveragePool", {y});
  const ValueId squeezed = b.Op("Conv", {pooled, b.Weights(Shape({4, 4, 1, 1}))});
  const ValueId clip =
      b.Op("Clip", {b.Op("Add", {squeezed, b.Scalar(3)}), b.Scalar(0), b.Scalar(6)});
  return b.Build({b.Op("Mul", {b.Op("Div", {clip, b.Scalar(6)}), y})});
}

// A position table cut to the length, and the expand idiom around it.
Graph Positions() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), b.Symbol("seq"), 4});
  const ValueId table = b.Weights(Shape({1, 16, 4}));
  const ValueId part = b.Op("Slice", {table, Numbers(b, {0}), SizeOf(b, x, 1), Numbers(b, {1})});
  const ValueId wanted =
      b.Op("Concat", {SizeOf(b, x, 0), Numbers(b, {-1}), Numbers(b, {-1})}, Int("axis", 0));
  Attributes one;
  one.Set("value", Tensor::FromValues<int64_t>(Shape({1}), {1}));
  const ValueId ones = b.Op("ConstantOfShape", {Numbers(b, {3})}, one);
  const ValueId minus = b.Op("Mul", {ones, b.Constant<int64_t>(Shape(), {-1})});
  const ValueId target = b.Op("Where", {b.Op("Equal", {wanted, minus}), ones, wanted});
  return b.Build({b.Op("Add", {b.Op("Expand", {part, target}), x})});
}

// Others than GraphBuilder::Weights() gives, and for each `seed`, lest equal nodes be merged.
ValueId Distinct(GraphBuilder& b, const Shape& shape, int seed) {
  std::vector<float> values(shape.num_elements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = 0.01f * static_cast<float>((i + 1) * (seed + 2) % 89);
  }
  return b.Constant<float>(shape, std::move(values));
}

// The first half of an encoder layer, its heads split by Reshape and Transpose, on bound sizes; the
// last product by rows alone, as GPT-2 has it.
Graph SelfAttention() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 6, 8});
  const auto heads = [&](int seed, std::vector<int64_t> perm) {
    const ValueId product = b.Op("MatMul", {x, Distinct(b, Shape({8, 8}), seed)});
    const ValueId rows = b.Op("Add", {product, Distinct(b, Shape({8}), seed)});
    const ValueId split = b.Op("Reshape", {rows, Numbers(b, {2, 6, 2, 4})});
    return b.Op("Transpose", {split}, Ints("perm", std::move(perm)));
  };
  const ValueId q = heads(1, {0, 2, 1, 3});
  const ValueId k = heads(2, {0, 2, 3, 1});
  const ValueId v = heads(3, {0, 2, 1, 3});
  const ValueId scores = b.Op("Mul", {b.Op("MatMul", {q, k}), b.Scalar(0.5f)});
  const ValueId y = b.Op("MatMul", {b.Op("Softmax", {scores}, Int("axis", -1)), v});
  const ValueId rows =
      b.Op("Reshape", {b.Op("Transpose", {y}, Ints("perm", {0, 2, 1, 3})), Numbers(b, {12, 8})});
  const ValueId out = b.Op("Gemm", {rows, b.Weights(Shape({8, 8})), b.Weights(Shape({8}))});
  return b.Build({b.Op("Add", {b.Op("Reshape", {out, Numbers(b, {2, 6, 8})}), x})});
}

// A depthwise convolution, squeeze and excitation, and a projection with a residual.
Graph InvertedResidual() {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 16, 8, 8});
  const auto pointwise = [&](ValueId from, int64_t inputs, int64_t outputs) {
    return b.Op("Conv",
                {from, b.Weights(Shape({outputs, inputs, 1, 1})), b.Weights(Shape({outputs}))});
  };
  Attributes depthwise = Ints("pads", {1, 1, 1, 1});
  depthwise.Set("group", int64_t{32});
  const ValueId wide = b.Op("Relu", {pointwise(x, 16, 32)});
  const ValueId y =
      b.Op("HardSwish", {b.Op("Conv", {wide, b.Weights(Shape({32, 1, 3, 3}))}, depthwise)});
  const ValueId squeezed = b.Op("Relu", {pointwise(b.Op("GlobalAveragePool", {y}), 32, 8)});
  const ValueId scale = b.Op("HardSigmoid", {pointwise(squeezed, 8, 32)});
  return b.Build({b.Op("Add", {pointwise(b.Op("Mul", {scale, y}), 32, 16), x})});
}

}  // namespace

std::map<std::string, Graph> BoundGoldenGraphs() {
  std::map<std::string, Graph> graphs;
  graphs["bound_self_attention"] = SelfAttention();
  graphs["bound_inverted_residual"] = InvertedResidual();
  return graphs;
}

std::map<std::string, Graph> GoldenGraphs() {
  std::map<std::string, Graph> graphs;
  graphs["head_split"] = HeadSplit();
  graphs["encoder_mlp"] = EncoderMlp();
  graphs["decoder_mlp"] = DecoderMlp();
  graphs["convolution_block"] = ConvolutionBlock();
  graphs["positions"] = Positions();
  return graphs;
}

}  // namespace inferd::testing
