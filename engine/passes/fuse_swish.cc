#include <cmath>
#include <optional>

#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

struct Match {
  ValueId x = kNoValue;
  absl::string_view op;
};

bool IsHardSigmoidOfHardSwish(const Node& node) {
  return std::abs(node.attributes.Float("alpha", 0.2f) - 1.0f / 6) < 1e-5f &&
         std::abs(node.attributes.Float("beta", 0.5f) - 0.5f) < 1e-6f;
}

// x * gate(x) in either operand order.
std::optional<Match> MatchGated(const Matcher& matcher, const Node& mul) {
  for (int i = 0; i < 2; ++i) {
    const ValueId x = mul.inputs[i];
    const ValueId gate = mul.inputs[1 - i];
    if (matcher.Uses(gate) != 1) continue;
    if (const Node* sigmoid = matcher.Producer(gate, "Sigmoid");
        sigmoid && sigmoid->inputs[0] == x) {
      return Match{x, "Swish"};
    }
    const Node* hard = matcher.Producer(gate, "HardSigmoid");
    if (hard && hard->inputs[0] == x && IsHardSigmoidOfHardSwish(*hard)) {
      return Match{x, "HardSwish"};
    }
  }
  return std::nullopt;
}

// Clip(x + 3, 0, 6) with x returned; nullopt else.
std::optional<ValueId> MatchRelu6OfPlus3(const Matcher& matcher, ValueId value) {
  const Node* clip = matcher.Producer(value, "Clip");
  if (clip == nullptr || clip->inputs.size() != 3 || !matcher.IsScalar(clip->inputs[1], 0) ||
      !matcher.IsScalar(clip->inputs[2], 6)) {
    return std::nullopt;
  }
  const Node* add = matcher.Producer(clip->inputs[0], "Add");
  return add == nullptr ? std::nullopt : matcher.OtherThanScalar(*add, 3);
}

// x * Clip(x+3, 0, 6) / 6 and x * (Clip(x+3, 0, 6) / 6).
std::optional<Match> MatchClippedForm(const Matcher& matcher, const Node& node) {
  auto divided_by_6 = [&](ValueId value) -> std::optional<ValueId> {
    if (const Node* div = matcher.Producer(value, "Div");
        div && matcher.IsScalar(div->inputs[1], 6)) {
      return div->inputs[0];
    }
    const Node* mul = matcher.Producer(value, "Mul");
    return mul == nullptr ? std::nullopt : matcher.OtherThanScalar(*mul, 1.0 / 6);
  };
  if (node.op->name == "Mul") {
    for (int i = 0; i < 2; ++i) {
      const auto clipped = divided_by_6(node.inputs[1 - i]);
      const auto x = clipped ? MatchRelu6OfPlus3(matcher, *clipped) : std::nullopt;
      if (x && *x == node.inputs[i]) return Match{*x, "HardSwish"};
    }
  }
  const auto product = divided_by_6(node.outputs[0]);
  const Node* mul = product ? matcher.Producer(*product, "Mul") : nullptr;
  if (mul == nullptr || matcher.Uses(*product) != 1) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const auto x = MatchRelu6OfPlus3(matcher, mul->inputs[1 - i]);
    if (x && *x == mul->inputs[i]) return Match{*x, "HardSwish"};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FuseSwish(Graph& graph, const PassContext&) {
  int changes = 0;
  const OpRegistry& registry = OpRegistry::Builtin();
  if (registry.Find("", "Swish") == nullptr || registry.Find("", "HardSwish") == nullptr) return 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() ||
        (node.op->name != "Mul" && node.op->name != "Div")) {
      continue;
    }
    const Matcher matcher(graph);
    std::optional<Match> match = node.op->name == "Mul" ? MatchGated(matcher, node) : std::nullopt;
    if (!match) match = MatchClippedForm(matcher, node);
    if (!match || graph.value(match->x).type.dtype != DType::kFloat32) continue;
    Node fused;
    fused.name = node.name;
    fused.op = &registry.Get("", match->op);
    fused.inputs = {match->x};
    fused.outputs = {node.outputs[0]};
    graph.RemoveNode(id);
    graph.AddNode(std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
