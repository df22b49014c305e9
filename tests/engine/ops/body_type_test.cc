#include "engine/ops/body_type.h"

#include "engine/ops/infer_context.h"
#include "engine/ops/op_registry.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

// A body that returns its inputs of those types.
std::shared_ptr<const Graph> Body(const std::vector<ValueType>& types) {
  auto body = std::make_shared<Graph>();
  for (const ValueType& type : types) body->MarkOutput(body->AddInput("", type));
  return body;
}

Node MakeNode(const char* op, int inputs, int outputs) {
  Node node;
  node.op = &OpRegistry::Builtin().Get("", op);
  for (int i = 0; i < inputs; ++i) node.inputs.push_back(i);
  for (int i = 0; i < outputs; ++i) node.outputs.push_back(inputs + i);
  return node;
}

absl::StatusOr<std::vector<ValueType>> Infer(const Node& node) {
  const ValueType unknown;
  InferContext context(node, std::vector<const ValueType*>(node.inputs.size(), &unknown),
                       std::vector<const Tensor*>(node.inputs.size(), nullptr));
  if (absl::Status status = node.op->infer(context); !status.ok()) return status;
  std::vector<ValueType> types;
  for (int i = 0; i < context.num_outputs(); ++i) types.push_back(context.output_type(i));
  return types;
}

TEST(BodyType, MergesTheBranchesOfIf) {
  Node node = MakeNode("If", 1, 1);
  node.subgraphs["then_branch"] =
      Body({ValueType::OfTensor(DType::kFloat32, {Dim(2), Dim(3), Dim::Symbol(0)})});
  node.subgraphs["else_branch"] =
      Body({ValueType::OfTensor(DType::kFloat32, {Dim(2), Dim(4), Dim::Symbol(0)})});
  const auto types = Infer(node);
  ASSERT_TRUE(types.ok()) << types.status();
  EXPECT_EQ((*types)[0].ToString(), "float32[2,?,?]");
}

TEST(BodyType, RefusesBranchesOfDifferentTypes) {
  Node node = MakeNode("If", 1, 1);
  node.subgraphs["then_branch"] = Body({ValueType::OfTensor(DType::kFloat32, {})});
  EXPECT_NE(Infer(node).status().message().find("else_branch"), absl::string_view::npos);
  node.subgraphs["else_branch"] = Body({ValueType::OfTensor(DType::kInt64, {})});
  EXPECT_NE(Infer(node).status().message().find("int64"), absl::string_view::npos);
}

TEST(BodyType, KnowsTypesButNotShapesOfLoopResults) {
  const ValueType trip = ValueType::OfTensor(DType::kInt64, SymbolicShape::Scalar());
  const ValueType go_on = ValueType::OfTensor(DType::kBool, SymbolicShape::Scalar());
  auto body = std::make_shared<Graph>();
  body->AddInput("i", trip);
  const ValueId condition = body->AddInput("c", go_on);
  const ValueId carried = body->AddInput("x", ValueType::OfTensor(DType::kFloat16, {Dim(3)}));
  body->MarkOutput(condition);
  body->MarkOutput(carried);
  Node node = MakeNode("Loop", 3, 1);
  node.subgraphs["body"] = body;
  const auto types = Infer(node);
  ASSERT_TRUE(types.ok()) << types.status();
  EXPECT_EQ((*types)[0].dtype, DType::kFloat16);
  EXPECT_FALSE((*types)[0].shape.has_rank());
}

TEST(BodyType, RefusesABodyWithOtherInputs) {
  Node node = MakeNode("Scan", 2, 1);
  node.subgraphs["body"] = Body({ValueType()});
  EXPECT_NE(Infer(node).status().message().find("body has 1 inputs"), absl::string_view::npos);
}

}  // namespace
}  // namespace inferd
