#include <algorithm>

#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
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
  if (op == "Concat" || op == "Sum" || op == "Mean") return node.inputs.size() == 1;
  if (op == "Split") return node.outputs.size() == 1;
  if (op == "Slice") return HasStepsOfOne(graph, node) && SameType(graph, node);
  if (op == "Cast" || op == "Reshape" || op == "Expand" || op == "Flatten" || op == "Pad") {
    return SameType(graph, node);
  }
  return false;
}

bool OnlyFirstIsRead(const Matcher& matcher, const Node& node) {
  return std::all_of(node.outputs.begin() + 1, node.outputs.end(), [&](ValueId output) {
    return output == kNoValue || matcher.Uses(output) == 0;
  });
}

}  // namespace

absl::StatusOr<int> RemoveRedundantNodes(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (node.removed || !ChangesNothing(graph, node) || !OnlyFirstIsRead(editor, node)) continue;
    context.Count(node.op->name);
    editor.ReplaceUses(node.outputs[0], node.inputs[0]);
    ++changes;
  }
  return changes;
}

}  // namespace inferd
