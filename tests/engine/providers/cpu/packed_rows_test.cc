#include "engine/providers/cpu/packed_rows.h"

#include <cstring>

#include "engine/plan/plan_builder.h"
#include "engine/providers/cpu/cpu_provider.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"
#include "tests/support/graph_builder.h"
#include "tests/support/recoverable.h"

namespace inferd::cpu {
namespace {

using testing::GraphBuilder;

constexpr int64_t kIndices = 5;

// Rows of a recoverable matrix, taken with an epilogue, beside its use by other nodes.
class PackedRowsTest : public ::testing::Test {
 protected:
  ValueId Matrix(const Tensor& plain) {
    return b_.graph().AddConstant(
        "", testing::Recoverable(set_, plain, "matrix " + plain.shape().ToString()));
  }

  ValueId Rows(ValueId matrix) {
    return b_.Op("Gather", {matrix, b_.Input("indices", {kIndices}, DType::kInt64)});
  }

  ValueId ByTranspose(ValueId matrix, int64_t width) {
    Attributes attributes;
    attributes.Set("transB", int64_t{1});
    return b_.Op("Gemm", {b_.Input("x", {32, width}), matrix}, std::move(attributes));
  }

  const Node& GatherOf(const Graph& graph) const {
    for (NodeId id = 0; id < graph.num_nodes(); ++id) {
      if (graph.node(id).op->name == "Gather") return graph.node(id);
    }
    return graph.node(0);
  }

  absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph) {
    PrepareContext context;
    context.weights = &weights_;
    return provider_.Prepare(graph, GatherOf(graph), context);
  }

  std::shared_ptr<RecoverySet> set_ = std::make_shared<RecoverySet>();
  const RecoverySet::Reading reading_{*set_};
  WeightStore weights_;
  CpuProvider provider_;
  GraphBuilder b_;
};

TEST_F(PackedRowsTest, AreTheRowsOfTheMatrixWhateverItsSize) {
  for (const Shape& shape : {Shape({77, 50}), Shape({128, 64}), Shape({200, 33}), Shape({64, 3})}) {
    b_ = GraphBuilder();
    const Tensor plain = RandomFloats(shape);
    const ValueId matrix = Matrix(plain);
    const ValueId rows = Rows(matrix);
    const Graph graph = b_.Build({rows, ByTranspose(matrix, shape[1])});
    const auto kernel = Prepare(graph);
    ASSERT_TRUE(kernel.ok()) << kernel.status();
    EXPECT_EQ((*kernel)->description(), "gather packed");
    EXPECT_TRUE((*kernel)->holds_input(0));
    EXPECT_EQ(set_->resident_bytes(), 0);

    const int64_t last = shape[0] - 1;
    const Tensor indices = Tensor::FromValues<int64_t>({kIndices}, {0, last, 17, -1, -last});
    const Tensor absent = Tensor::View(DType::kFloat32, shape, nullptr);
    Tensor output = *Tensor::Allocate(DType::kFloat32, {kIndices, shape[1]});
    const Tensor* inputs[] = {&absent, &indices};
    Tensor* outputs[] = {&output};
    StepContext step;
    step.inputs = inputs;
    step.outputs = outputs;
    ASSERT_TRUE((*kernel)->Run(step).ok());
    const int64_t expected[kIndices] = {0, last, 17, last, 1};
    for (int64_t i = 0; i < kIndices; ++i) {
      EXPECT_EQ(std::memcmp(output.data<float>() + i * shape[1],
                            plain.data<float>() + expected[i] * shape[1], shape[1] * sizeof(float)),
                0)
          << shape.ToString() << " index " << i;
    }
  }
}

TEST_F(PackedRowsTest, AreNotThereWithoutAProductThatPacksThem) {
  const ValueId matrix = Matrix(RandomFloats(Shape({77, 50})));
  const Graph graph = b_.Build({Rows(matrix)});
  const auto kernel = Prepare(graph);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ((*kernel)->description(), "gather");
  EXPECT_FALSE((*kernel)->holds_input(0));
}

TEST_F(PackedRowsTest, LeaveAPlanWithoutTheMatrixItself) {
  const ValueId matrix = Matrix(RandomFloats(Shape({1000, 64})));
  const ValueId rows = Rows(matrix);
  const Graph graph = b_.Build({rows, ByTranspose(matrix, 64)});
  std::vector<std::unique_ptr<ExecutionProvider>> providers;
  providers.push_back(std::make_unique<CpuProvider>());
  PlanOptions options;
  options.providers = providers;
  options.weights = &weights_;
  options.max_arena_bytes = int64_t{1} << 30;
  const auto plan = BuildPlan(graph, options);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(set_->resident_bytes(), 0);
  EXPECT_EQ(weights_.num_packed(), 1);
}

}  // namespace
}  // namespace inferd::cpu
