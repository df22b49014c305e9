#include "engine/runtime/step_operands.h"

#include <cmath>

#include "engine/ops/cast.h"
#include "gtest/gtest.h"
#include "tests/support/graph_builder.h"

namespace inferd {
namespace {

TEST(StepOperands, HoldNumbersOfBothSignsOfEveryFloatType) {
  for (const DType type : {DType::kFloat32, DType::kFloat16, DType::kBfloat16, DType::kFloat8E4m3fn,
                           DType::kFloat8E5m2, DType::kFloat4E2m1}) {
    testing::GraphBuilder b;
    const ValueId x = b.Input("x", Shape({4, 16}), type);
    const Graph graph = b.Build({b.Op("Identity", {x})});
    const auto operands = StepOperands::Make(graph, graph.node(0), nullptr);
    ASSERT_TRUE(operands.ok()) << operands.status();
    const Tensor& filled = *(*operands)->HostContext(nullptr, 1).inputs[0];
    Tensor numbers = Tensor::Allocate(DType::kFloat32, filled.shape()).value();
    ASSERT_TRUE(CastElements(filled, &numbers).ok());
    int above = 0, below = 0;
    for (const float number : numbers.values<float>()) {
      EXPECT_TRUE(std::isfinite(number)) << DTypeName(type);
      above += number > 0 ? 1 : 0;
      below += number < 0 ? 1 : 0;
    }
    EXPECT_GT(above, 0) << DTypeName(type);
    EXPECT_GT(below, 0) << DTypeName(type);
  }
}

}  // namespace
}  // namespace inferd
