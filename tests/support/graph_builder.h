#pragma once

#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/graph.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "gtest/gtest.h"

namespace inferd::testing {

// Builds small graphs concisely. Used by one thread.
class GraphBuilder {
 public:
  ValueId Input(const std::string& name, SymbolicShape shape, DType dtype = DType::kFloat32) {
    return graph_.AddInput(name, ValueType::OfTensor(dtype, std::move(shape)));
  }
  // A dimension of that name.
  Dim Symbol(const std::string& name) { return Dim::Symbol(graph_.SymbolId(name)); }
  template <typename T>
  ValueId Constant(const Shape& shape, std::vector<T> values) {
    return graph_.AddConstant("", Tensor::FromValues<T>(shape, absl::Span<const T>(values)));
  }
  ValueId Scalar(float value) { return Constant<float>(Shape(), {value}); }
  // A float constant with values 0.01, 0.02, ...
  ValueId Weights(const Shape& shape) {
    std::vector<float> values(shape.num_elements());
    for (size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * static_cast<float>(i % 97 + 1);
    return Constant<float>(shape, std::move(values));
  }
  ValueId Op(const std::string& op, std::vector<ValueId> inputs, Attributes attributes = {},
             const std::string& domain = "") {
    Node node;
    node.name = op + std::to_string(graph_.num_nodes());
    node.op = &OpRegistry::Builtin().Get(domain, op);
    node.inputs = std::move(inputs);
    node.outputs = {graph_.AddValue("")};
    node.attributes = std::move(attributes);
    const ValueId output = node.outputs[0];
    const NodeId id = graph_.AddNode(std::move(node));
    const absl::Status status = InferNode(graph_, id);
    EXPECT_TRUE(status.ok()) << status;
    return output;
  }
  Graph Build(std::vector<ValueId> outputs) {
    for (ValueId output : outputs) graph_.MarkOutput(output);
    EXPECT_TRUE(graph_.SortAndCompact().ok());
    EXPECT_TRUE(graph_.Verify().ok());
    return std::move(graph_);
  }
  Graph& graph() { return graph_; }

 private:
  Graph graph_;
};

// How many live nodes apply the operator.
inline int CountOps(const Graph& graph, const std::string& op) {
  int count = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    count += !graph.node(id).removed && graph.node(id).op->name == op;
  }
  return count;
}

}  // namespace inferd::testing
