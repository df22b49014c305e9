#include <optional>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// What a row is divided by: the root of the mean of the squares of `squared`, plus epsilon.
struct Deviation {
  ValueId squared;
  double epsilon;
};

// A row by its deviation: of x itself (RMS) or of x less its mean.
struct Normalized {
  ValueId x;
  double epsilon;
  bool centred;
};

// Finds both normalizations of rows in every form that exporters write. Used by one thread at a
// time.
class NormMatcher {
 public:
  NormMatcher(const Graph& graph, const Matcher& matcher) : graph_(graph), matcher_(matcher) {}

  std::optional<Normalized> Match(ValueId value) const {
    if (const Node* div = matcher_.Producer(value, "Div")) {
      return WithDivisor(div->inputs[0], MatchDeviation(div->inputs[1]));
    }
    const Node* mul = matcher_.Producer(value, "Mul");
    for (int i = 0; mul != nullptr && i < 2; ++i) {
      const auto match = WithDivisor(mul->inputs[i], MatchInverse(mul->inputs[1 - i]));
      if (match) return match;
    }
    return std::nullopt;
  }

  // A vector with one value for each element of the last axis of x.
  bool IsRowParameter(ValueId parameter, ValueId x) const {
    const ValueType& type = graph_.value(parameter).type;
    const SymbolicShape& shape = graph_.value(x).type.shape;
    return type.is_tensor() && type.dtype == DType::kFloat32 && type.shape.rank() == 1 &&
           shape.rank() > 0 && type.shape[0].known() &&
           shape[shape.rank() - 1].SameAs(type.shape[0]);
  }

 private:
  std::optional<Normalized> WithDivisor(ValueId row,
                                        const std::optional<Deviation>& deviation) const {
    if (!deviation) return std::nullopt;
    const auto x = MatchCentred(deviation->squared);
    const auto of = x ? MatchCentred(row) : std::nullopt;
    if (of && *of == *x) return Normalized{*x, deviation->epsilon, true};
    if (deviation->squared == row) return Normalized{row, deviation->epsilon, false};
    return std::nullopt;
  }

  // 1 / deviation.
  std::optional<Deviation> MatchInverse(ValueId value) const {
    value = WithoutExpansion(value);
    if (const Node* reciprocal = matcher_.Producer(value, "Reciprocal")) {
      return MatchDeviation(reciprocal->inputs[0]);
    }
    if (const Node* div = matcher_.Producer(value, "Div")) {
      return matcher_.IsScalar(div->inputs[0], 1, 0) ? MatchDeviation(div->inputs[1])
                                                     : std::nullopt;
    }
    const Node* pow = matcher_.Producer(value, "Pow");
    const bool is_inverse_root = pow != nullptr && matcher_.IsScalar(pow->inputs[1], -0.5, 0);
    return is_inverse_root ? MatchVariance(pow->inputs[0]) : std::nullopt;
  }

  std::optional<Deviation> MatchDeviation(ValueId value) const {
    value = WithoutExpansion(value);
    if (const Node* sqrt = matcher_.Producer(value, "Sqrt")) return MatchVariance(sqrt->inputs[0]);
    const Node* pow = matcher_.Producer(value, "Pow");
    const bool is_root = pow != nullptr && matcher_.IsScalar(pow->inputs[1], 0.5, 0);
    return is_root ? MatchVariance(pow->inputs[0]) : std::nullopt;
  }

  // mean(squared * squared) + epsilon.
  std::optional<Deviation> MatchVariance(ValueId value) const {
    const Node* add = matcher_.Producer(WithoutExpansion(value), "Add");
    for (int i = 0; add != nullptr && i < 2; ++i) {
      const auto epsilon = matcher_.Scalar(add->inputs[1 - i]);
      const auto mean_of = epsilon ? MatchMean(add->inputs[i]) : std::nullopt;
      const auto squared = mean_of ? MatchSquare(*mean_of) : std::nullopt;
      if (squared) return Deviation{*squared, *epsilon};
    }
    return std::nullopt;
  }

  // x when `value` is x - mean(x).
  std::optional<ValueId> MatchCentred(ValueId value) const {
    const Node* sub = matcher_.Producer(value, "Sub");
    if (sub == nullptr) return std::nullopt;
    const auto mean_of = MatchMean(sub->inputs[1]);
    return mean_of && *mean_of == sub->inputs[0] ? mean_of : std::nullopt;
  }

  // The d of d * d, which may be two equal centred values, and of d squared.
  std::optional<ValueId> MatchSquare(ValueId value) const {
    if (const Node* pow = matcher_.Producer(value, "Pow")) {
      return matcher_.IsScalar(pow->inputs[1], 2, 0) ? std::optional(pow->inputs[0]) : std::nullopt;
    }
    const Node* mul = matcher_.Producer(value, "Mul");
    if (mul == nullptr) return std::nullopt;
    if (mul->inputs[0] == mul->inputs[1]) return mul->inputs[0];
    const auto x = MatchCentred(mul->inputs[0]);
    const auto other = x ? MatchCentred(mul->inputs[1]) : std::nullopt;
    return other && *other == *x ? std::optional(mul->inputs[0]) : std::nullopt;
  }

  const SymbolicShape& ShapeOf(ValueId value) const { return graph_.value(value).type.shape; }

  // Whether `value` has one element for each row of x: all dimensions of x but the last, and then
  // `last` of size 1 or nothing.
  bool IsPerRow(ValueId value, ValueId x, bool keeps_last) const {
    const SymbolicShape& shape = ShapeOf(value);
    const int rank = ShapeOf(x).rank();
    if (rank < 1 || shape.rank() != (keeps_last ? rank : rank - 1)) return false;
    for (int i = 0; i + 1 < rank; ++i) {
      if (!shape[i].SameAs(ShapeOf(x)[i])) return false;
    }
    return !keeps_last || shape[rank - 1].Is(1);
  }

  // What an Expand along the last axis alone repeats, or the value itself.
  ValueId WithoutExpansion(ValueId value) const {
    const Node* expand = matcher_.Producer(value, "Expand");
    return expand != nullptr && IsPerRow(expand->inputs[0], value, true) ? expand->inputs[0]
                                                                         : value;
  }

  // x when `value` is the mean of the rows of x in a shape that broadcasts along them.
  std::optional<ValueId> MatchMean(ValueId value) const {
    value = WithoutExpansion(value);
    const NodeId id = matcher_.ProducerId(value);
    if (id == kNoNode) return std::nullopt;
    const Node* mean = matcher_.Producer(value, "ReduceMean");
    bool keeps_last = true;
    if (mean == nullptr && graph_.node(id).op->op_class == OpClass::kView) {
      // Without the axis, which a view then brings back.
      mean = matcher_.Producer(graph_.node(id).inputs[0], "ReduceMean");
      keeps_last = false;
    }
    if (mean == nullptr || !MeansRows(*mean, keeps_last)) return std::nullopt;
    const ValueId x = mean->inputs[0];
    return keeps_last || IsPerRow(value, x, true) ? std::optional(x) : std::nullopt;
  }

  bool MeansRows(const Node& mean, bool keeps_last) const {
    if (mean.inputs.size() < 2 || (mean.attributes.Int("keepdims", 1) != 0) != keeps_last) {
      return false;
    }
    const Tensor* axes = graph_.constant(mean.inputs[1]);
    const int rank = ShapeOf(mean.inputs[0]).rank();
    if (axes == nullptr || axes->num_elements() != 1 || rank < 1) return false;
    const auto axis = axes->ToInt64s();
    return axis.ok() && ((*axis)[0] == -1 || (*axis)[0] == rank - 1);
  }

  const Graph& graph_;
  const Matcher& matcher_;
};

// Parts of the pattern around the normalized row.
struct Scaled {
  Normalized row;
  ValueId scale;
};

std::optional<Scaled> MatchScaled(const Matcher& matcher, const NormMatcher& norms, ValueId value) {
  const Node* mul = matcher.Producer(value, "Mul");
  for (int i = 0; mul != nullptr && i < 2; ++i) {
    const auto row = norms.Match(mul->inputs[i]);
    if (row && norms.IsRowParameter(mul->inputs[1 - i], row->x)) {
      return Scaled{*row, mul->inputs[1 - i]};
    }
  }
  return std::nullopt;
}

// The normalization that ends at this node; nullopt when there is none.
std::optional<Node> MatchNorm(const Matcher& matcher, const NormMatcher& norms, const Node& root) {
  std::optional<Scaled> scaled;
  ValueId bias = kNoValue;
  if (root.op->name == "Mul") scaled = MatchScaled(matcher, norms, root.outputs[0]);
  for (int i = 0; i < 2 && root.op->name == "Add"; ++i) {
    scaled = matcher.Uses(root.inputs[i]) == 1 ? MatchScaled(matcher, norms, root.inputs[i])
                                               : std::nullopt;
    bias = root.inputs[1 - i];
    if (scaled && scaled->row.centred && norms.IsRowParameter(bias, scaled->row.x)) break;
    scaled = std::nullopt;
  }
  if (!scaled) return std::nullopt;
  Node fused;
  fused.name = root.name;
  const bool centred = scaled->row.centred;
  fused.op = &OpRegistry::Builtin().Get("", centred ? "LayerNormalization" : "RMSNormalization");
  fused.inputs = {scaled->row.x, scaled->scale};
  if (bias != kNoValue) fused.inputs.push_back(bias);
  fused.attributes.Set("axis", int64_t{-1});
  fused.attributes.Set("epsilon", static_cast<float>(scaled->row.epsilon));
  return fused;
}

}  // namespace

absl::StatusOr<int> FuseLayerNormalization(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  const NormMatcher norms(graph, editor);
  // Last nodes first: the scale inside a pattern must not be taken for its end.
  for (NodeId id = graph.num_nodes() - 1; id >= 0; --id) {
    const Node& root = graph.node(id);
    if (root.removed || !root.op->domain.empty() || !root.epilogue.empty() ||
        root.inputs.size() != 2 || graph.value(root.outputs[0]).type.dtype != DType::kFloat32) {
      continue;
    }
    auto fused = MatchNorm(editor, norms, root);
    if (!fused) continue;
    context.Count(fused->op->name);
    editor.Replace(id, *std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
