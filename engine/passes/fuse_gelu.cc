#include <optional>

#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr double kSqrt2 = 1.41421356;
constexpr double kSqrt2OverPi = 0.79788456;

// The factors of a tree of Mul nodes each used once, constants multiplied into `scale`.
void CollectFactors(const Matcher& matcher, const Graph& graph, ValueId value, bool root, int depth,
                    std::vector<ValueId>* factors, double* scale) {
  const Node* mul = matcher.Producer(value, "Mul");
  if (mul != nullptr && depth > 0 && (root || matcher.Uses(value) == 1)) {
    for (ValueId input : mul->inputs) {
      CollectFactors(matcher, graph, input, false, depth - 1, factors, scale);
    }
    return;
  }
  if (const auto scalar = matcher.Scalar(value)) {
    *scale *= *scalar;
  } else {
    factors->push_back(value);
  }
}

// x when `value` is erf(x / sqrt(2)).
std::optional<ValueId> MatchErf(const Matcher& matcher, ValueId value) {
  const Node* erf = matcher.Producer(value, "Erf");
  if (erf == nullptr) return std::nullopt;
  if (const Node* div = matcher.Producer(erf->inputs[0], "Div")) {
    if (matcher.IsScalar(div->inputs[1], kSqrt2)) return div->inputs[0];
  }
  const Node* mul = matcher.Producer(erf->inputs[0], "Mul");
  return mul == nullptr ? std::nullopt : matcher.OtherThanScalar(*mul, 1 / kSqrt2);
}

// Whether `value` is x cubed: Pow(x, 3) or products of x.
bool IsCube(const Matcher& matcher, const Graph& graph, ValueId value, ValueId x, double* scale) {
  std::vector<ValueId> factors;
  *scale = 1;
  CollectFactors(matcher, graph, value, true, 3, &factors, scale);
  int power = 0;
  for (ValueId factor : factors) {
    if (factor == x) {
      ++power;
    } else if (const Node* pow = matcher.Producer(factor, "Pow");
               pow != nullptr && pow->inputs[0] == x) {
      power += matcher.IsScalar(pow->inputs[1], 3)   ? 3
               : matcher.IsScalar(pow->inputs[1], 2) ? 2
                                                     : 9;
    } else {
      return false;
    }
  }
  return power == 3;
}

// x when `value` is tanh(sqrt(2/pi) * (x + 0.044715 x^3)).
std::optional<ValueId> MatchTanh(const Matcher& matcher, const Graph& graph, ValueId value) {
  const Node* tanh = matcher.Producer(value, "Tanh");
  if (tanh == nullptr) return std::nullopt;
  const Node* scaled = matcher.Producer(tanh->inputs[0], "Mul");
  const auto inner = scaled ? matcher.OtherThanScalar(*scaled, kSqrt2OverPi) : std::nullopt;
  const Node* add = inner ? matcher.Producer(*inner, "Add") : nullptr;
  if (add == nullptr) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    double scale = 1;
    const ValueId x = add->inputs[i];
    if (IsCube(matcher, graph, add->inputs[1 - i], x, &scale) &&
        std::abs(scale - 0.044715) < 1e-5) {
      return x;
    }
  }
  return std::nullopt;
}

struct Match {
  ValueId x;
  bool tanh;
};

// 0.5 * x * (1 + f(x)) with its factors in any order and grouping.
std::optional<Match> MatchGelu(const Matcher& matcher, const Graph& graph, const Node& mul) {
  std::vector<ValueId> factors;
  double scale = 1;
  CollectFactors(matcher, graph, mul.outputs[0], true, 3, &factors, &scale);
  if (factors.size() != 2 || std::abs(scale - 0.5) > 1e-4) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const Node* add = matcher.Producer(factors[i], "Add");
    const auto inner = add ? matcher.OtherThanScalar(*add, 1.0) : std::nullopt;
    if (!inner || matcher.Uses(factors[i]) != 1) continue;
    const ValueId x = factors[1 - i];
    if (const auto erf = MatchErf(matcher, *inner); erf && *erf == x) return Match{x, false};
    if (const auto tanh = MatchTanh(matcher, graph, *inner); tanh && *tanh == x) {
      return Match{x, true};
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FuseGelu(Graph& graph, const PassContext& context) {
  const OpDef* gelu = OpRegistry::Builtin().Find("", "Gelu");
  if (gelu == nullptr) return 0;
  int changes = 0;
  GraphEditor editor(graph);
  // Last products first: an inner Mul of the pattern must not be taken for its root.
  for (NodeId id = graph.num_nodes() - 1; id >= 0; --id) {
    const Node& node = graph.node(id);
    if (node.removed || !node.op->domain.empty() || node.op->name != "Mul" ||
        !node.epilogue.empty()) {
      continue;
    }
    const auto match = MatchGelu(editor, graph, node);
    if (!match || graph.value(match->x).type.dtype != DType::kFloat32) continue;
    Node fused;
    fused.name = node.name;
    fused.op = gelu;
    fused.inputs = {match->x};
    if (match->tanh) fused.attributes.Set("approximate", std::string("tanh"));
    context.Count(match->tanh ? "tanh" : "erf");
    editor.Replace(id, std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
