#include "engine/graph/op_def.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

bool SameType(const Graph& graph, const Node& node) {
  const ValueType& in = graph.value(node.inputs[0]).type;
  const ValueType& out = graph.value(node.outputs[0]).type;
  return in.is_tensor() && out.is_tensor() && in.dtype == out.dtype &&
         in.dtype != DType::kInvalid && in.shape.SameAs(out.shape);
}

bool IsInOrder(const std::vector<int64_t>& permutation) {
  for (size_t i = 0; i < permutation.size(); ++i) {
    if (permutation[i] != static_cast<int64_t>(i)) return false;
  }
  return !permutation.empty();
}

bool HasStepsOfOne(const Graph& graph, const Node& node) {
  if (node.inputs.size() < 5 || node.inputs[4] == kNoValue) return true;
  const Tensor* steps = graph.constant(node.inputs[4]);
  if (steps == nullptr) return false;
  const auto values = steps->ToInt64s();
  return values.ok() &&
         std::all_of(values->begin(), values->end(), [](int64_t s) { return s == 1; });
}

// A Dropout that is not in training mode.
bool IsInference(const Graph& graph, const Node& dropout) {
  if (dropout.inputs.size() < 3 || dropout.inputs[2] == kNoValue) return true;
  const Tensor* training = graph.constant(dropout.inputs[2]);
  return training != nullptr && training->dtype() == DType::kBool &&
         training->num_elements() == 1 && !*training->data<bool>();
}

bool ChangesNothing(const Graph& graph, const Node& node) {
  const absl::string_view op = node.op->name;
  if (!node.op->domain.empty() || !node.epilogue.empty() || node.inputs.empty() ||
      node.inputs[0] == kNoValue || node.outputs.empty() || node.outputs[0] == kNoValue) {
    return false;
  }
  if (op == "Identity") return true;
  if (op == "Dropout") return IsInference(graph, node);
  if (op == "Transpose") return IsInOrder(node.attributes.Ints("perm"));
  if (op == "Concat") return node.inputs.size() == 1;
  if (op == "Slice") return HasStepsOfOne(graph, node) && SameType(graph, node);
  if (op == "Cast" || op == "Reshape" || op == "Expand" || op == "Flatten" || op == "Pad") {
    return SameType(graph, node);
  }
  return false;
}

// (x reshaped) reshaped again: only the last view matters.
bool SkipsInnerView(Graph& graph, NodeId id) {
  Node& node = graph.node(id);
  if (node.op->name != "Reshape" || !node.op->domain.empty()) return false;
  const NodeId producer = graph.value(node.inputs[0]).producer;
  if (producer == kNoNode) return false;
  const Node& inner = graph.node(producer);
  // A 0 in the target copies a dimension of the inner view, so the target must not have one.
  const Tensor* target = graph.constant(node.inputs[1]);
  if (inner.op->op_class != OpClass::kView || !inner.epilogue.empty() || target == nullptr) {
    return false;
  }
  const auto dims = target->ToInt64s();
  if (!dims.ok() || std::find(dims->begin(), dims->end(), 0) != dims->end()) return false;
  node.inputs[0] = inner.inputs[0];
  return true;
}

bool OnlyFirstIsRead(const Graph& graph, const Node& node,
                     const std::vector<std::vector<NodeId>>& readers) {
  return std::all_of(node.outputs.begin() + 1, node.outputs.end(), [&](ValueId output) {
    return output == kNoValue || (readers[output].empty() && !graph.IsGraphOutput(output));
  });
}

}  // namespace

absl::StatusOr<int> RemoveRedundantNodes(Graph& graph, const PassContext&) {
  int changes = 0;
  const auto readers = graph.Consumers();
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    if (graph.node(id).removed) continue;
    if (SkipsInnerView(graph, id)) ++changes;
    const Node& node = graph.node(id);
    if (!ChangesNothing(graph, node) || !OnlyFirstIsRead(graph, node, readers)) continue;
    const ValueId from = node.outputs[0];
    const ValueId to = node.inputs[0];
    graph.RemoveNode(id);
    graph.ReplaceUses(from, to);
    ++changes;
  }
  return changes;
}

}  // namespace inferd
