#include "engine/passes/inline_branches.h"

#include <utility>

#include "engine/graph/op_def.h"

namespace inferd {
namespace {

// The branch that is taken, or null when that is not known.
std::shared_ptr<const Graph> TakenBranch(const Graph& graph, const Node& node) {
  if (node.op->op_class != OpClass::kControlFlow || node.op->name != "If") return nullptr;
  const Tensor* condition = graph.constant(node.inputs[0]);
  if (condition == nullptr || condition->dtype() != DType::kBool ||
      condition->num_elements() != 1) {
    return nullptr;
  }
  const auto branch =
      node.subgraphs.find(condition->data<bool>()[0] ? "then_branch" : "else_branch");
  if (branch == node.subgraphs.end()) return nullptr;
  const bool fits = branch->second->inputs().size() + 1 == node.inputs.size() &&
                    branch->second->outputs().size() >= node.outputs.size();
  return fits ? branch->second : nullptr;
}

// The branch's symbols mean nothing in the graph around it.
ValueType TypeOutside(ValueType type) {
  if (type.is_tensor()) type.shape = SymbolicShape::UnknownRank();
  return type;
}

void Inline(const Graph& branch, NodeId id, Graph& graph) {
  const Node replaced = graph.node(id);
  std::vector<ValueId> moved(branch.num_values(), kNoValue);
  for (ValueId value = 0; value < branch.num_values(); ++value) {
    if (const Tensor* constant = branch.constant(value)) {
      moved[value] = graph.AddConstant("", *constant);
    }
  }
  for (size_t i = 0; i < branch.inputs().size(); ++i) {
    moved[branch.inputs()[i]] = replaced.inputs[i + 1];
  }
  for (NodeId inner = 0; inner < branch.num_nodes(); ++inner) {
    if (branch.node(inner).removed) continue;
    for (ValueId output : branch.node(inner).outputs) {
      if (output == kNoValue || moved[output] != kNoValue) continue;
      moved[output] = graph.AddValue("", TypeOutside(branch.value(output).type));
    }
  }
  graph.RemoveNode(id);
  const auto move_ids = [&moved](std::vector<ValueId>* ids) {
    for (ValueId& value : *ids) value = value == kNoValue ? kNoValue : moved[value];
  };
  for (NodeId inner = 0; inner < branch.num_nodes(); ++inner) {
    if (branch.node(inner).removed) continue;
    Node node = branch.node(inner);
    move_ids(&node.inputs);
    move_ids(&node.outputs);
    graph.AddNode(std::move(node));
  }
  for (size_t i = 0; i < replaced.outputs.size(); ++i) {
    if (replaced.outputs[i] == kNoValue) continue;
    graph.ReplaceUses(replaced.outputs[i], moved[branch.outputs()[i]]);
  }
}

}  // namespace

int InlineBranches(Graph& graph) {
  int inlined = 0;
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    if (graph.node(id).removed) continue;
    const std::shared_ptr<const Graph> branch = TakenBranch(graph, graph.node(id));
    if (branch == nullptr) continue;
    Inline(*branch, id, graph);
    ++inlined;
  }
  return inlined;
}

}  // namespace inferd
