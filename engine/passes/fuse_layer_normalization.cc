#include <optional>

#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// The last-axis mean with kept dimensions of some value: that value, else nullopt.
std::optional<ValueId> MatchMean(const Graph& graph, const Matcher& matcher, ValueId value) {
  const Node* mean = matcher.Producer(value, "ReduceMean");
  if (mean == nullptr || mean->inputs.size() < 2 || mean->attributes.Int("keepdims", 1) != 1) {
    return std::nullopt;
  }
  const Tensor* axes = graph.constant(mean->inputs[1]);
  const SymbolicShape& shape = graph.value(mean->inputs[0]).type.shape;
  if (axes == nullptr || axes->num_elements() != 1 || !shape.has_rank()) return std::nullopt;
  const auto axis = axes->ToInt64s();
  if (!axis.ok() || ((*axis)[0] != -1 && (*axis)[0] != shape.rank() - 1)) return std::nullopt;
  return mean->inputs[0];
}

// x when `value` is x - mean(x).
std::optional<ValueId> MatchCentred(const Graph& graph, const Matcher& matcher, ValueId value) {
  const Node* sub = matcher.Producer(value, "Sub");
  if (sub == nullptr) return std::nullopt;
  const auto mean_of = MatchMean(graph, matcher, sub->inputs[1]);
  return mean_of && *mean_of == sub->inputs[0] ? mean_of : std::nullopt;
}

// The centred value d when `value` is d squared.
std::optional<ValueId> MatchSquare(const Matcher& matcher, ValueId value) {
  if (const Node* pow = matcher.Producer(value, "Pow")) {
    return matcher.IsScalar(pow->inputs[1], 2) ? std::optional(pow->inputs[0]) : std::nullopt;
  }
  const Node* mul = matcher.Producer(value, "Mul");
  return mul && mul->inputs[0] == mul->inputs[1] ? std::optional(mul->inputs[0]) : std::nullopt;
}

struct Deviation {
  ValueId x;
  double epsilon;
};

// x and epsilon when `value` is sqrt(mean((x - mean(x))^2) + epsilon).
std::optional<Deviation> MatchDeviation(const Graph& graph, const Matcher& matcher, ValueId value) {
  const Node* sqrt = matcher.Producer(value, "Sqrt");
  const Node* add = sqrt ? matcher.Producer(sqrt->inputs[0], "Add") : nullptr;
  if (add == nullptr) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    const auto epsilon = matcher.Scalar(add->inputs[1 - i]);
    if (!epsilon) continue;
    const auto variance_of = MatchMean(graph, matcher, add->inputs[i]);
    const auto centred = variance_of ? MatchSquare(matcher, *variance_of) : std::nullopt;
    const auto x = centred ? MatchCentred(graph, matcher, *centred) : std::nullopt;
    if (x) return Deviation{*x, *epsilon};
  }
  return std::nullopt;
}

// (x - mean) / deviation.
std::optional<Deviation> MatchNormalized(const Graph& graph, const Matcher& matcher,
                                         ValueId value) {
  const Node* div = matcher.Producer(value, "Div");
  if (div == nullptr) return std::nullopt;
  const auto x = MatchCentred(graph, matcher, div->inputs[0]);
  const auto deviation = x ? MatchDeviation(graph, matcher, div->inputs[1]) : std::nullopt;
  return deviation && deviation->x == *x ? deviation : std::nullopt;
}

// A constant of one value per element of the last axis of x.
bool IsRowParameter(const Graph& graph, ValueId parameter, ValueId x) {
  const Tensor* constant = graph.constant(parameter);
  const SymbolicShape& shape = graph.value(x).type.shape;
  return constant != nullptr && constant->rank() == 1 && constant->dtype() == DType::kFloat32 &&
         shape.has_rank() && shape.rank() > 0 && shape[shape.rank() - 1].Is(constant->dim(0));
}

}  // namespace

absl::StatusOr<int> FuseLayerNormalization(Graph& graph, const PassContext&) {
  const OpDef* layer_norm = OpRegistry::Builtin().Find("", "LayerNormalization");
  if (layer_norm == nullptr) return 0;
  int changes = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& add = graph.node(id);
    if (add.removed || !add.op->domain.empty() || add.op->name != "Add" || !add.epilogue.empty()) {
      continue;
    }
    const Matcher matcher(graph);
    for (int i = 0; i < 2; ++i) {
      const Node* mul = matcher.Producer(add.inputs[i], "Mul");
      if (mul == nullptr || matcher.Uses(add.inputs[i]) != 1) continue;
      const int normalized = graph.constant(mul->inputs[0]) != nullptr ? 1 : 0;
      const auto match = MatchNormalized(graph, matcher, mul->inputs[normalized]);
      const ValueId scale = mul->inputs[1 - normalized];
      const ValueId bias = add.inputs[1 - i];
      if (!match || !IsRowParameter(graph, scale, match->x) ||
          !IsRowParameter(graph, bias, match->x)) {
        continue;
      }
      Node fused;
      fused.name = add.name;
      fused.op = layer_norm;
      fused.inputs = {match->x, scale, bias};
      fused.outputs = {add.outputs[0]};
      fused.attributes.Set("axis", int64_t{-1});
      fused.attributes.Set("epsilon", static_cast<float>(match->epsilon));
      graph.RemoveNode(id);
      graph.AddNode(std::move(fused));
      ++changes;
      break;
    }
  }
  return changes;
}

}  // namespace inferd
