#include "engine/plan/lazy_kernel.h"

#include "gtest/gtest.h"
#include "tests/support/fake_provider.h"
#include "tests/support/graph_builder.h"
#include "tests/support/run_graph.h"

namespace inferd {
namespace {

using testing::FakeProvider;
using testing::GraphBuilder;
using testing::RandomTensor;

// Counts what it prepares.
class CountingProvider : public FakeProvider {
 public:
  explicit CountingProvider(int* prepared)
      : FakeProvider([](const Graph&, const Node&) { return true; },
                     [](const Node&) { return LayoutPreference::kRowMajor; }),
        prepared_(prepared) {}
  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                       const PrepareContext& context) override {
    ++*prepared_;
    return FakeProvider::Prepare(graph, node, context);
  }

 private:
  int* prepared_;
};

// One node over inputs of unknown shape, run as a dynamic step.
class LazyKernelTest : public ::testing::Test {
 protected:
  LazyKernelTest() {
    providers_.push_back(std::make_unique<CountingProvider>(&prepared_));
    options_.providers = providers_;
    options_.max_arena_bytes = 1 << 20;
  }

  Tensor Run(const LazyKernel& kernel, const std::vector<Tensor>& inputs) {
    std::vector<const Tensor*> pointers;
    for (const Tensor& input : inputs) pointers.push_back(&input);
    Tensor output;
    Tensor* outputs[] = {&output};
    const absl::Status status = kernel.Run({pointers, outputs, nullptr, 1});
    EXPECT_TRUE(status.ok()) << status;
    return output;
  }

  int prepared_ = 0;
  std::vector<std::unique_ptr<ExecutionProvider>> providers_;
  PlanOptions options_;
};

TEST_F(LazyKernelTest, PreparesAProvidersKernelForShapesThatComeBack) {
  GraphBuilder b;
  const ValueId x = b.Input("x", SymbolicShape::UnknownRank());
  const ValueId y = b.Op("MatMul", {x, b.Weights(Shape({3, 2}))});
  const Graph graph = b.Build({y});
  const LazyKernel kernel(graph, graph.node(0), options_);
  const Tensor weights = *graph.constant(graph.node(0).inputs[1]);
  for (int run = 0; run < 3; ++run) {
    for (int64_t rows : {1, 4}) {
      const Tensor input = RandomTensor(Shape({rows, 3}));
      EXPECT_EQ(Run(kernel, {input, weights}).shape(), Shape({rows, 2}));
    }
  }
  EXPECT_EQ(prepared_, 2);
}

TEST_F(LazyKernelTest, PreparesForLargeTensorsAtOnce) {
  GraphBuilder b;
  const ValueId x = b.Input("x", SymbolicShape::UnknownRank());
  const Graph graph = b.Build({b.Op("Neg", {x})});
  const LazyKernel kernel(graph, graph.node(0), options_);
  Run(kernel, {RandomTensor(Shape({1 << 15}))});
  EXPECT_EQ(prepared_, 1);
}

TEST_F(LazyKernelTest, LeavesOutputsThatDependOnDataToThePortableKernel) {
  GraphBuilder b;
  const ValueId x = b.Input("x", SymbolicShape::UnknownRank());
  const Graph graph = b.Build({b.Op("NonZero", {x})});
  const LazyKernel kernel(graph, graph.node(0), options_);
  const Tensor input = Tensor::FromValues<float>(Shape({3}), {1, 0, 2});
  for (int run = 0; run < 3; ++run) EXPECT_EQ(Run(kernel, {input}).shape(), Shape({1, 2}));
  EXPECT_EQ(prepared_, 0);
}

TEST_F(LazyKernelTest, RefusesOutputsOverTheLimit) {
  GraphBuilder b;
  const ValueId x = b.Input("x", SymbolicShape::UnknownRank());
  const ValueId y = b.Input("y", SymbolicShape::UnknownRank());
  const Graph graph = b.Build({b.Op("Add", {x, y})});
  const LazyKernel kernel(graph, graph.node(0), options_);
  const Tensor column = RandomTensor(Shape({40000, 1}));
  const Tensor row = RandomTensor(Shape({1, 40000}));
  const Tensor* inputs[] = {&column, &row};
  Tensor output;
  Tensor* outputs[] = {&output};
  const absl::Status status = kernel.Run({inputs, outputs, nullptr, 1});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace inferd
