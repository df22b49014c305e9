#include "engine/providers/cpu/cpu_provider.h"

#include <atomic>
#include <cmath>
#include <thread>

#include "engine/ops/op_registry.h"
#include "engine/plan/weight_store.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/engine/providers/cpu/provider_case.h"

namespace inferd::cpu {
namespace {

const OpDef* FindOp(const char* name) { return OpRegistry::Builtin().Find("", name); }

ProviderCase SmallConv() {
  ProviderCase test("Conv");
  test.Input(RandomFloats({1, 8, 6, 6})).Constant(RandomFloats({16, 8, 3, 3}, -1, 1, 2));
  return test;
}

TEST(CpuProvider, AnswersForSymbolicShapes) {
  CpuProvider provider;
  Graph graph;
  const Dim batch = Dim::Symbol(graph.SymbolId("batch"));
  Node node;
  node.op = FindOp("Conv");
  node.inputs = {
      graph.AddInput("x", ValueType::OfTensor(DType::kFloat32, {batch, 8, Dim(), Dim()})),
      graph.AddConstant("w", RandomFloats({16, 8, 3, 3}))};
  const ValueType y = ValueType::OfTensor(DType::kFloat32, {batch, 16, Dim(), Dim()});
  node.outputs = {graph.AddValue("y", y)};
  EXPECT_TRUE(provider.Supports(graph, node));
  // An operand of unknown sizes could broadcast in any way.
  node.first_epilogue_input = 2;
  node.inputs.push_back(graph.AddInput("r", y));
  node.epilogue.push_back({FindOp("Add"), Attributes(), 2, false});
  EXPECT_FALSE(provider.Supports(graph, node));
  graph.value(node.inputs[0]).type.shape = SymbolicShape::UnknownRank();
  node.epilogue.clear();
  EXPECT_FALSE(provider.Supports(graph, node));
}

TEST(CpuProvider, LeavesEmptyTensorsAndOtherTypesToOthers) {
  CpuProvider provider;
  ProviderCase empty("MatMul");
  empty.Input(Tensor::Allocate(DType::kFloat32, Shape({4, 0})).value());
  empty.Input(Tensor::Allocate(DType::kFloat32, Shape({0, 3})).value());
  EXPECT_FALSE(empty.Supported(provider));
  ProviderCase doubles("MatMul");
  doubles.Input(Tensor::Allocate(DType::kFloat64, Shape({4, 4})).value());
  doubles.Input(Tensor::Allocate(DType::kFloat64, Shape({4, 4})).value());
  EXPECT_FALSE(doubles.Supported(provider));
}

TEST(CpuProvider, SharesPackedWeightsBetweenKernels) {
  CpuProvider provider;
  WeightStore weights;
  PrepareContext context;
  context.weights = &weights;
  ProviderCase test = SmallConv();
  ASSERT_TRUE(test.Bind().ok());
  const auto first = provider.Prepare(test.graph(), test.node(), context);
  const int64_t bytes = weights.packed_bytes();
  const auto second = provider.Prepare(test.graph(), test.node(), context);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_GT(bytes, 0);
  EXPECT_EQ(weights.packed_bytes(), bytes);
}

TEST(CpuProvider, RunsOneKernelOnManyThreads) {
  CpuProvider provider;
  ProviderCase test = SmallConv().Then("Relu");
  const Tensor expected = test.Expected().value();
  const auto kernel = provider.Prepare(test.graph(), test.node(), PrepareContext());
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const Tensor x = RandomFloats({1, 8, 6, 6});
  const Tensor w = RandomFloats({16, 8, 3, 3}, -1, 1, 2);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Tensor y = Tensor::Allocate(DType::kFloat32, expected.shape()).value();
      Tensor scratch = Tensor::Allocate(DType::kUint8, Shape({(*kernel)->scratch_bytes()})).value();
      const Tensor* inputs[] = {&x, &w};
      Tensor* outputs[] = {&y};
      StepContext step;
      step.inputs = inputs;
      step.outputs = outputs;
      step.scratch = scratch.mutable_raw();
      for (int i = 0; i < 50; ++i) {
        if (!(*kernel)->Run(step).ok()) ++wrong;
        for (int64_t j = 0; j < y.num_elements(); ++j) {
          if (std::abs(y.data<float>()[j] - expected.data<float>()[j]) > 1e-4f) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace inferd::cpu
