// Kernels of the CPU provider over the shapes that common models have, one operator at a time:
// kernel_bench --benchmark_filter=Conv
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "tests/bench/bench_model.h"

namespace inferd::bench {
namespace {

using testing::ModelBuilder;
using testing::SetInt;
using testing::SetInts;

std::vector<float> Normal(int64_t count) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

void AddWeights(ModelBuilder& model, const char* name, const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (int64_t dim : dims) count *= dim;
  model.Floats(name, dims, Normal(count));
}

// batch, channels, size, filters, kernel, stride, groups
void Conv(benchmark::State& state) {
  const int64_t kernel = state.range(4), padding = kernel / 2;
  ModelBuilder model;
  model.Input("x", DType::kFloat32,
              {state.range(0), state.range(1), state.range(2), state.range(2)});
  AddWeights(model, "w", {state.range(3), state.range(1) / state.range(6), kernel, kernel});
  auto& node = model.Node("Conv", {"x", "w"}, {"y"});
  SetInts(node, "pads", {padding, padding, padding, padding});
  SetInts(node, "strides", {state.range(5), state.range(5)});
  SetInt(node, "group", state.range(6));
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Conv)
    ->ArgNames({"n", "c", "size", "m", "k", "stride", "groups"})
    ->Args({1, 3, 224, 64, 7, 2, 1})
    ->Args({1, 64, 56, 64, 3, 1, 1})
    ->Args({1, 128, 28, 128, 3, 1, 1})
    ->Args({8, 256, 14, 256, 3, 1, 1})
    ->Args({1, 64, 56, 256, 1, 1, 1})
    ->Args({1, 1024, 14, 256, 1, 1, 1})
    ->Args({1, 144, 56, 144, 3, 1, 144})
    ->Args({1, 672, 14, 672, 5, 1, 672});

// rows, inner, columns
void ProductWithWeights(benchmark::State& state) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {state.range(0), state.range(1)});
  AddWeights(model, "w", {state.range(1), state.range(2)});
  model.Node("MatMul", {"x", "w"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(ProductWithWeights)
    ->ArgNames({"m", "k", "n"})
    ->Args({1, 768, 3072})
    ->Args({8, 768, 3072})
    ->Args({128, 384, 1536})
    ->Args({128, 768, 768})
    ->Args({1024, 768, 3072})
    ->Args({1024, 3072, 768});

// stack, rows, inner, columns
void ProductOfActivations(benchmark::State& state) {
  ModelBuilder model;
  model.Input("a", DType::kFloat32, {state.range(0), state.range(1), state.range(2)});
  model.Input("b", DType::kFloat32, {state.range(0), state.range(2), state.range(3)});
  model.Node("MatMul", {"a", "b"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(ProductOfActivations)
    ->ArgNames({"stack", "m", "k", "n"})
    ->Args({12, 128, 64, 128})
    ->Args({12, 128, 128, 64})
    ->Args({96, 128, 32, 128});

// batch, heads, sequence, head size
void Attention(benchmark::State& state) {
  ModelBuilder model;
  for (const char* name : {"q", "k", "v"}) {
    model.Input(name, DType::kFloat32,
                {state.range(0), state.range(1), state.range(2), state.range(3)});
  }
  model.Node("Attention", {"q", "k", "v"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Attention)->ArgNames({"n", "heads", "seq", "size"})->Args({1, 12, 128, 64});

void Unary(benchmark::State& state, const char* op) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {state.range(0)});
  model.Node(op, {"x"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK_CAPTURE(Unary, Relu, "Relu")->Arg(1 << 14)->Arg(1 << 21);
BENCHMARK_CAPTURE(Unary, Gelu, "Gelu")->Arg(1 << 14)->Arg(1 << 21);
BENCHMARK_CAPTURE(Unary, Sigmoid, "Sigmoid")->Arg(1 << 14)->Arg(1 << 21);
BENCHMARK_CAPTURE(Unary, HardSwish, "HardSwish")->Arg(1 << 14)->Arg(1 << 21);

void AddRows(benchmark::State& state) {
  ModelBuilder model;
  model.Input("a", DType::kFloat32, {state.range(0), state.range(1)});
  model.Input("b", DType::kFloat32, {state.range(1)});
  model.Node("Add", {"a", "b"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(AddRows)->Args({128, 768})->Args({4096, 768});

void Softmax(benchmark::State& state) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {state.range(0), state.range(1)});
  SetInt(model.Node("Softmax", {"x"}, {"y"}), "axis", -1);
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Softmax)->Args({1536, 16})->Args({1536, 128})->Args({1, 50257});

void LayerNorm(benchmark::State& state) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {state.range(0), state.range(1)});
  AddWeights(model, "scale", {state.range(1)});
  AddWeights(model, "bias", {state.range(1)});
  SetInt(model.Node("LayerNormalization", {"x", "scale", "bias"}, {"y"}), "axis", -1);
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(LayerNorm)->Args({128, 384})->Args({1024, 768});

// Means over the pixels of a [1,channels,size,size] image.
void Pool(benchmark::State& state) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {1, state.range(0), state.range(1), state.range(1)});
  model.Node("GlobalAveragePool", {"x"}, {"y"});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Pool)->Args({144, 56})->Args({1280, 7});

void Transpose(benchmark::State& state) {
  ModelBuilder model;
  model.Input("x", DType::kFloat32, {1, state.range(0), state.range(1), state.range(2)});
  SetInts(model.Node("Transpose", {"x"}, {"y"}), "perm", {0, 2, 1, 3});
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Transpose)->Args({128, 12, 64})->Args({128, 12, 32});

// rows of the table, their size, how many are taken
void Gather(benchmark::State& state) {
  ModelBuilder model;
  AddWeights(model, "table", {state.range(0), state.range(1)});
  model.Input("indices", DType::kInt64, {state.range(2)});
  model.Node("Gather", {"table", "indices"}, {"y"});
  model.Output("y");
  BenchModel(state, model, state.range(0));
}
BENCHMARK(Gather)->ArgNames({"rows", "size", "taken"})->Args({30522, 384, 128});

void SetValues(::onnx::NodeProto& node, const char* name, const std::vector<float>& values) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(::onnx::AttributeProto::FLOATS);
  attribute.mutable_floats()->Assign(values.begin(), values.end());
}

// A regressor of complete binary trees with random splits; the children of node i are 2i + 1 and
// 2i + 2.
void AddTrees(ModelBuilder& model, int64_t trees, int64_t depth, int64_t features) {
  const int64_t inner = (int64_t{1} << depth) - 1, nodes = 2 * inner + 1;
  std::vector<int64_t> tree_ids, node_ids, feature_ids, yes, no, leaf_trees, leaves, targets;
  const std::vector<float> random = Normal(trees * nodes);
  std::vector<float> weights;
  std::vector<std::string> modes;
  for (int64_t t = 0; t < trees; ++t) {
    for (int64_t n = 0; n < nodes; ++n) {
      tree_ids.push_back(t);
      node_ids.push_back(n);
      feature_ids.push_back((t * 31 + n * 7) % features);
      yes.push_back(n < inner ? 2 * n + 1 : 0);
      no.push_back(n < inner ? 2 * n + 2 : 0);
      modes.push_back(n < inner ? "BRANCH_LEQ" : "LEAF");
      if (n < inner) continue;
      leaf_trees.push_back(t);
      leaves.push_back(n);
      targets.push_back(0);
      weights.push_back(random[t * nodes + n]);
    }
  }
  auto& node = model.Node("TreeEnsembleRegressor", {"x"}, {"y"});
  node.set_domain("ai.onnx.ml");
  SetInts(node, "nodes_treeids", tree_ids);
  SetInts(node, "nodes_nodeids", node_ids);
  SetInts(node, "nodes_featureids", feature_ids);
  SetInts(node, "nodes_truenodeids", yes);
  SetInts(node, "nodes_falsenodeids", no);
  SetInts(node, "target_treeids", leaf_trees);
  SetInts(node, "target_nodeids", leaves);
  SetInts(node, "target_ids", targets);
  SetInt(node, "n_targets", 1);
  SetValues(node, "nodes_values", random);
  SetValues(node, "target_weights", weights);
  auto& attribute = *node.add_attribute();
  attribute.set_name("nodes_modes");
  attribute.set_type(::onnx::AttributeProto::STRINGS);
  for (const std::string& mode : modes) attribute.add_strings(mode);
}

// trees, depth, rows
void Trees(benchmark::State& state) {
  constexpr int64_t kFeatures = 30;
  ModelBuilder model;
  model.Import("ai.onnx.ml", 3);
  model.Input("x", DType::kFloat32, {state.range(2), kFeatures});
  AddTrees(model, state.range(0), state.range(1), kFeatures);
  model.Output("y");
  BenchModel(state, model);
}
BENCHMARK(Trees)
    ->ArgNames({"trees", "depth", "rows"})
    ->Args({100, 6, 1})
    ->Args({100, 6, 1000})
    ->Args({500, 8, 1000});

}  // namespace
}  // namespace inferd::bench
