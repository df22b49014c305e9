#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// Results up to this size fold whatever their inputs' size.
constexpr int64_t kSmallBytes = 64 << 10;

int64_t InputBytes(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  for (ValueId input : node.inputs) {
    if (const Tensor* constant = graph.constant(input)) bytes += constant->byte_size();
  }
  return bytes;
}

}  // namespace

absl::StatusOr<int> FoldConstants(Graph& graph, const PassContext&) {
  int changes = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).removed) continue;
    // Earlier folds may have made shapes known.
    RETURN_IF_ERROR(InferNode(graph, id));
    const Node& node = graph.node(id);
    if (node.op->name == "DequantizeLinear") continue;
    const int64_t limit = std::max(kSmallBytes, InputBytes(graph, node));
    ASSIGN_OR_RETURN(std::vector<Tensor> results, EvaluateNode(graph, node, limit));
    if (results.empty()) continue;
    const std::vector<ValueId> outputs = node.outputs;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] != kNoValue) graph.SetConstant(outputs[i], std::move(results[i]));
    }
    ++changes;
  }
  return changes;
}

}  // namespace inferd
