#include <optional>

#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/attention_match.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/passes/strided_view.h"

namespace inferd {
namespace {

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

// The sum of several biases as one value.
absl::StatusOr<ValueId> SumOfBiases(Graph& graph, FusedAttention* fused) {
  ValueId sum = fused->biases[0];
  for (size_t i = 1; i < fused->biases.size(); ++i) {
    Node add;
    add.op = &OpRegistry::Builtin().Get("", "Add");
    add.inputs = {sum, fused->biases[i]};
    sum = graph.AddValue("");
    add.outputs = {sum};
    RETURN_IF_ERROR(InferNode(graph, graph.AddNode(std::move(add))));
  }
  if (fused->biases.size() > 1) {
    // Its own broadcasting to [batch, heads, queries, keys].
    StridedView view(ShapeOf(graph, sum));
    const StridedAttention& a = fused->attention;
    if (!view.Broadcast(fused->bias_shape) ||
        !view.Reshape(Shape({a.batch, a.heads, a.queries, a.keys}))) {
      return absl::InternalError("the sum of two biases has no layout");
    }
    fused->attention.bias = {view.Stride(0).value_or(0), view.Stride(1).value_or(0),
                             view.Stride(2).value_or(0)};
  }
  return sum;
}

absl::Status Replace(Graph& graph, FusedAttention fused) {
  Node node;
  node.op = &OpRegistry::Builtin().Get("inferd", "Attention");
  node.inputs = {fused.q, fused.k, fused.v};
  if (!fused.biases.empty() || fused.mask != kNoValue) node.inputs.push_back(kNoValue);
  if (!fused.biases.empty()) {
    ASSIGN_OR_RETURN(node.inputs[3], SumOfBiases(graph, &fused));
  }
  if (fused.mask != kNoValue) node.inputs.push_back(fused.mask);
  node.attributes = fused.attention.ToAttributes();
  const NodeId replaced = graph.value(fused.y).producer;
  node.name = graph.node(replaced).name;
  node.outputs = {fused.y};
  graph.RemoveNode(replaced);
  return InferNode(graph, graph.AddNode(std::move(node)));
}

bool IsRowSoftmax(const Graph& graph, const Node& node) {
  if (node.op->name != "Softmax") return false;
  const int64_t axis = node.attributes.Int("axis", -1);
  return axis == -1 || axis == graph.value(node.inputs[0]).type.shape.rank() - 1;
}

std::optional<FusedAttention> MatchNode(const Graph& graph, const Matcher& matcher,
                                        const Node& node) {
  if (node.removed || !node.op->domain.empty() || !node.epilogue.empty()) return std::nullopt;
  if (IsRowSoftmax(graph, node)) return MatchSoftmax(graph, matcher, node);
  if (node.op->name == "Attention") return MatchOperator(graph, matcher, node);
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FuseAttention(Graph& graph, const PassContext&) {
  int changes = 0;
  const Matcher matcher(graph);
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    auto fused = MatchNode(graph, matcher, graph.node(id));
    if (!fused) continue;
    RETURN_IF_ERROR(Replace(graph, *std::move(fused)));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
