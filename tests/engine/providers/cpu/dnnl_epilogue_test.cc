#include "engine/providers/cpu/dnnl_epilogue.h"

#include "engine/ops/op_registry.h"
#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

using Kind = PostOp::Kind;

// A node with an output of `output` and one binary step per operand, channels in dimension 1.
class Epilogue {
 public:
  explicit Epilogue(SymbolicShape output) {
    node_.outputs = {graph_.AddValue("y", ValueType::OfTensor(DType::kFloat32, std::move(output)))};
    node_.first_epilogue_input = 0;
  }
  Epilogue& With(const std::string& op, ValueId operand, bool operand_first = false) {
    node_.inputs.push_back(operand);
    node_.epilogue.push_back({OpRegistry::Builtin().Find("", op), Attributes(),
                              static_cast<int>(node_.inputs.size()) - 1, operand_first});
    return *this;
  }
  Epilogue& With(const std::string& op, SymbolicShape operand) {
    return With(op, graph_.AddInput("", ValueType::OfTensor(DType::kFloat32, std::move(operand))));
  }
  Epilogue& With(const std::string& op, float constant, bool operand_first = false) {
    return With(op, graph_.AddConstant("", Tensor::Scalar(constant)), operand_first);
  }
  Epilogue& Then(const std::string& op, Attributes attributes = Attributes()) {
    node_.epilogue.push_back(
        {OpRegistry::Builtin().Find("", op), std::move(attributes), -1, false});
    return *this;
  }
  std::optional<std::vector<PostOp>> Plan(int channel_axis) const {
    return PlanPostOps(graph_, node_, channel_axis);
  }

 private:
  Graph graph_;
  Node node_;
};

SymbolicShape Image() { return {Dim::Symbol(0), 8, Dim::Symbol(1), Dim::Symbol(2)}; }

TEST(PlanPostOps, TellsOperandsApartByTheirShapes) {
  EXPECT_EQ(Epilogue(Image()).With("Add", Image()).Plan(1)->at(0).kind, Kind::kSameShape);
  EXPECT_EQ(Epilogue(Image()).With("Mul", {1, 8, 1, 1}).Plan(1)->at(0).kind, Kind::kPerChannel);
  EXPECT_EQ(Epilogue(Image()).With("Mul", {8, 1, 1}).Plan(1)->at(0).kind, Kind::kPerChannel);
  const SymbolicShape scores = {Dim::Symbol(0), 12, Dim::Symbol(1), Dim::Symbol(1)};
  const SymbolicShape mask = {Dim::Symbol(0), 1, 1, Dim::Symbol(1)};
  EXPECT_EQ(Epilogue(scores).With("Add", mask).Plan(3)->at(0).kind, Kind::kBatchRow);
}

TEST(PlanPostOps, RefusesWhatMayBroadcastOtherwise) {
  EXPECT_FALSE(Epilogue(Image()).With("Add", {Dim(), 8, Dim(), Dim()}).Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Add", {1, Dim(), 1, 1}).Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Add", SymbolicShape::UnknownRank()).Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Add", {Dim::Symbol(0), 8, 1, 1}).Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Add", {Dim::Symbol(2)}).Plan(1));
}

TEST(PlanPostOps, JoinsScalarsIntoOneOp) {
  const auto ops =
      Epilogue(Image()).With("Mul", 2.0f).With("Add", 3.0f).With("Sub", 1.0f, true).Plan(1);
  ASSERT_TRUE(ops && ops->size() == 1);
  EXPECT_EQ(ops->at(0).alpha, -2.0f);
  EXPECT_EQ(ops->at(0).beta, -2.0f);
}

TEST(PlanPostOps, RefusesTheSameActivationTwice) {
  EXPECT_FALSE(Epilogue(Image()).With("Mul", 2.0f).Then("Tanh").With("Mul", 2.0f).Plan(1));
  EXPECT_TRUE(Epilogue(Image()).Then("Relu").With("Add", Image()).Then("Relu").Plan(1));
}

TEST(PlanPostOps, RefusesClipWithBoundsThatCross) {
  Attributes attributes;
  attributes.Set("min", 2.0f);
  attributes.Set("max", 1.0f);
  EXPECT_FALSE(Epilogue(Image()).Then("Clip", attributes).Plan(1));
}

TEST(PlanPostOps, RefusesOperatorsItDoesNotKnow) {
  EXPECT_FALSE(Epilogue(Image()).Then("Sin").Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Pow", 2.0f).Plan(1));
  EXPECT_FALSE(Epilogue(Image()).With("Div", 0.0f).Plan(1));
}

TEST(PostOpsKey, TellsConstantsApartThatPrintAlike) {
  const PostOp a{Kind::kEltwise, dnnl::algorithm::eltwise_linear, 1.0000001f, 0, -1};
  const PostOp b{Kind::kEltwise, dnnl::algorithm::eltwise_linear, 1.0f, 0, -1};
  EXPECT_NE(PostOpsKey({a}), PostOpsKey({b}));
}

}  // namespace
}  // namespace inferd::cpu
