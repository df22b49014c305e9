#include "engine/plan/binder.h"

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/inline_branches.h"

namespace inferd {
namespace {

// Values up to this size are evaluated when shapes are bound instead of by steps.
constexpr int64_t kFoldBytes = 1 << 20;

// Runs every shape rule and makes constants of what is now known.
absl::Status InferAndFold(Graph& bound) {
  for (NodeId id = 0; id < bound.num_nodes(); ++id) {
    if (bound.node(id).removed) continue;
    RETURN_IF_ERROR(InferNode(bound, id));
    const Node& node = bound.node(id);
    if (node.op->name == "DequantizeLinear") continue;
    ASSIGN_OR_RETURN(std::vector<Tensor> results, EvaluateNode(bound, node, kFoldBytes));
    if (results.empty()) continue;
    const std::vector<ValueId> outputs = node.outputs;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i] != kNoValue) bound.SetConstant(outputs[i], std::move(results[i]));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Graph> BindShapes(const Graph& graph, absl::Span<const Shape> input_shapes) {
  Graph bound = graph;
  for (size_t i = 0; i < bound.inputs().size(); ++i) {
    ValueType& type = bound.value(bound.inputs()[i]).type;
    if (type.is_tensor()) type.shape = SymbolicShape(input_shapes[i]);
  }
  RETURN_IF_ERROR(InferAndFold(bound));
  // A condition may depend on the result of another branch, so this may take turns.
  while (InlineBranches(bound) > 0) {
    bound.RemoveDeadNodes();
    RETURN_IF_ERROR(bound.SortAndCompact());
    RETURN_IF_ERROR(InferAndFold(bound));
  }
  bound.RemoveDeadNodes();
  RETURN_IF_ERROR(bound.SortAndCompact());
  return bound;
}

}  // namespace inferd
