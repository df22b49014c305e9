#include <algorithm>
#include <memory>

#include "gtest/gtest.h"
#include "tests/engine/passes/fusion_test_support.h"

namespace inferd {
namespace {

using testing::GraphBuilder;
using testing::RunPass;

Tensor RecoverableNumbers(const std::shared_ptr<RecoverySet>& set, const Shape& shape, int* fills) {
  const int64_t count = shape.num_elements();
  auto bytes = RecoverableBytes::Make(set, count * 4, "numbers", [=](void* to) {
    ++*fills;
    for (int64_t i = 0; i < count; ++i) static_cast<float*>(to)[i] = static_cast<float>(i);
    return absl::OkStatus();
  });
  return Tensor::Recoverable(DType::kFloat32, shape, *std::move(bytes));
}

TEST(FoldConstants, PutsOffWhatIsLargeAndComesFromAFile) {
  const auto set = std::make_shared<RecoverySet>();
  const RecoverySet::Reading reading(*set);
  int fills = 0;
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 128});
  const ValueId stored =
      b.graph().AddConstant("w", RecoverableNumbers(set, Shape({100, 128}), &fills));
  Attributes attributes;
  attributes.Set("perm", std::vector<int64_t>{1, 0});
  Graph graph = b.Build({b.Op("MatMul", {x, b.Op("Transpose", {stored}, attributes)})});
  EXPECT_EQ(RunPass(FoldConstants, graph), 1);
  EXPECT_EQ(fills, 0);
  ASSERT_EQ(graph.num_nodes(), 1);
  const Tensor* weights = graph.constant(graph.node(0).inputs[1]);
  ASSERT_NE(weights, nullptr);
  EXPECT_NE(weights->recoverable(), nullptr);
  EXPECT_EQ(weights->shape(), Shape({128, 100}));
  EXPECT_EQ(weights->data<float>()[1], 128.0f);
  EXPECT_EQ(weights->data<float>()[127 * 100 + 99], 100.0f * 128 - 1);
}

TEST(FoldConstants, SharesTheBytesOfAConstantSeenUnderAnotherShape) {
  const auto set = std::make_shared<RecoverySet>();
  int fills = 0;
  GraphBuilder b;
  const ValueId x = b.Input("x", {b.Symbol("batch"), 128});
  const Tensor numbers = RecoverableNumbers(set, Shape({128 * 100}), &fills);
  const ValueId stored = b.graph().AddConstant("w", numbers);
  const ValueId shape = b.Constant<int64_t>(Shape({2}), {128, 100});
  Graph graph = b.Build({b.Op("MatMul", {x, b.Op("Reshape", {stored, shape})})});
  EXPECT_EQ(RunPass(FoldConstants, graph), 1);
  EXPECT_EQ(graph.constant(graph.node(0).inputs[1])->address(), numbers.address());
  EXPECT_EQ(fills, 0);
}

TEST(FoldConstants, LetsGoOfConstantsThatNothingReads) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4});
  const ValueId unread = b.Weights(Shape({4}));
  const ValueId sum = b.Op("Add", {b.Op("Neg", {unread}), b.Op("Add", {x, b.Weights(Shape({4}))})});
  Graph graph = b.Build({sum});
  EXPECT_EQ(RunPass(FoldConstants, graph), 1);
  EXPECT_EQ(graph.constant(unread), nullptr);
}

}  // namespace
}  // namespace inferd
