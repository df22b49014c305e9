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
  float alpha = 1;  // of Swish and HardSigmoid
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
    if (const Node* sigmoid = matcher.Producer(gate, "Sigmoid"); sigmoid != nullptr) {
      if (sigmoid->inputs[0] == x) return Match{x, "Swish"};
      // x * Sigmoid(1.702 x), the quick form of GELU.
      const Node* scaled = matcher.Producer(sigmoid->inputs[0], "Mul");
      for (int k = 0; scaled != nullptr && k < 2; ++k) {
        const auto alpha = matcher.Scalar(scaled->inputs[1 - k]);
        if (alpha && scaled->inputs[k] == x) return Match{x, "Swish", static_cast<float>(*alpha)};
      }
    }
    const Node* tanh = matcher.Producer(gate, "Tanh");
    const Node* softplus = tanh ? matcher.Producer(tanh->inputs[0], "Softplus") : nullptr;
    if (softplus != nullptr && softplus->inputs[0] == x) return Match{x, "Mish"};
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

// Log(1 + Exp(x)), also with x itself above some threshold; 1 / (1 + Exp(-x)).
std::optional<Match> MatchExponential(const Matcher& matcher, const Node& node) {
  const auto exponent_of = [&](ValueId sum) -> std::optional<ValueId> {
    const Node* add = matcher.Producer(sum, "Add");
    const auto exp = add ? matcher.OtherThanScalar(*add, 1) : std::nullopt;
    const Node* found = exp ? matcher.Producer(*exp, "Exp") : nullptr;
    return found ? std::optional(found->inputs[0]) : std::nullopt;
  };
  if (node.op->name == "Log") {
    const auto x = exponent_of(node.inputs[0]);
    return x ? std::optional(Match{*x, "Softplus"}) : std::nullopt;
  }
  if (node.op->name == "Where") {
    const Node* greater = matcher.Producer(node.inputs[0], "Greater");
    const Node* softplus = matcher.Producer(node.inputs[2], "Softplus");
    const auto threshold = greater ? matcher.Scalar(greater->inputs[1]) : std::nullopt;
    const bool matches = softplus != nullptr && threshold && *threshold >= 15 &&
                         greater->inputs[0] == node.inputs[1] &&
                         softplus->inputs[0] == node.inputs[1];
    return matches ? std::optional(Match{node.inputs[1], "Softplus"}) : std::nullopt;
  }
  const bool divides = node.op->name == "Div" && matcher.IsScalar(node.inputs[0], 1);
  if (!divides && node.op->name != "Reciprocal") return std::nullopt;
  const auto exponent = exponent_of(node.inputs[divides ? 1 : 0]);
  const Node* neg = exponent ? matcher.Producer(*exponent, "Neg") : nullptr;
  return neg ? std::optional(Match{neg->inputs[0], "Sigmoid"}) : std::nullopt;
}

// x * Clip(x+3, 0, 6) / 6 and x * (Clip(x+3, 0, 6) / 6); without the factor x HardSigmoid.
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
  if (!product || matcher.Uses(*product) != 1) return std::nullopt;
  if (const auto x = MatchRelu6OfPlus3(matcher, *product)) {
    return Match{*x, "HardSigmoid", 1.0f / 6};
  }
  const Node* mul = matcher.Producer(*product, "Mul");
  if (mul == nullptr) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const auto x = MatchRelu6OfPlus3(matcher, mul->inputs[1 - i]);
    if (x && *x == mul->inputs[i]) return Match{*x, "HardSwish"};
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FuseSwish(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() ||
        node.outputs.size() != 1 || graph.value(node.outputs[0]).type.dtype != DType::kFloat32) {
      continue;
    }
    std::optional<Match> match = MatchExponential(editor, node);
    if (!match && node.op->name == "Mul") match = MatchGated(editor, node);
    if (!match && (node.op->name == "Mul" || node.op->name == "Div")) {
      match = MatchClippedForm(editor, node);
    }
    if (!match || graph.value(match->x).type.dtype != DType::kFloat32) continue;
    Node fused;
    fused.name = node.name;
    fused.op = &OpRegistry::Builtin().Get("", match->op);
    fused.inputs = {match->x};
    if (match->op == "HardSigmoid" || match->alpha != 1) {
      fused.attributes.Set("alpha", match->alpha);
    }
    context.Count(match->op);
    editor.Replace(id, std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
