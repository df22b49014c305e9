#include "engine/passes/attention_pattern.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/graph/op_def.h"

namespace inferd {
namespace {

// A score of this or less is never seen beside one that is not hidden.
constexpr float kHiding = -1e4f;
constexpr int kMostSteps = 8;

std::optional<Shape> ShapeOf(const Graph& graph, ValueId value) {
  const ValueType& type = graph.value(value).type;
  if (!type.is_tensor() || type.dtype != DType::kFloat32 || !type.shape.IsConcrete()) {
    return std::nullopt;
  }
  return type.shape.ToShape();
}

// Whether a view leaves the matrices of the last two dimensions as they are.
bool KeepsMatrices(const Graph& graph, ValueId from, ValueId to) {
  const auto a = ShapeOf(graph, from);
  const auto b = ShapeOf(graph, to);
  if (!a || !b || a->rank() < 2 || b->rank() < 2) return false;
  return (*a)[a->rank() - 1] == (*b)[b->rank() - 1] && (*a)[a->rank() - 2] == (*b)[b->rank() - 2];
}

// Walks from the softmax up to the product. Used once.
class ScoreWalk {
 public:
  ScoreWalk(const Graph& graph, const Matcher& matcher) : graph_(graph), matcher_(matcher) {}

  // On success `scores` is complete.
  bool Walk(ValueId value, int steps, AttentionScores* scores) const {
    if (steps == 0 || matcher_.Uses(value) != 1) return false;
    const NodeId id = graph_.value(value).producer;
    const auto shape = ShapeOf(graph_, value);
    if (id == kNoNode || !shape) return false;
    const Node& node = graph_.node(id);
    if (node.removed || !node.op->domain.empty() || !node.epilogue.empty()) return false;
    const absl::string_view op = node.op->name;
    if (op == "MatMul") {
      scores->product = &node;
      return true;
    }
    if (op == "Reshape" || op == "Squeeze" || op == "Unsqueeze") {
      return KeepsMatrices(graph_, node.inputs[0], value) &&
             Walk(node.inputs[0], steps - 1, scores);
    }
    if (op == "Add") return WalkAdd(node, *shape, steps, scores);
    if (op == "Where") return WalkWhere(node, *shape, steps, scores);
    const auto scaled = matcher_.Scaled(node);
    if (!scaled || !SameShape(scaled->value, *shape)) return false;
    // A scale that comes after a mask would scale that too.
    AttentionScores inner;
    if (!Walk(scaled->value, steps - 1, &inner) || !inner.biases.empty() || inner.mask) {
      return false;
    }
    scores->scale *= scaled->factor * inner.scale;
    scores->product = inner.product;
    return true;
  }

 private:
  bool SameShape(ValueId value, const Shape& shape) const {
    const auto other = ShapeOf(graph_, value);
    return other && *other == shape;
  }

  bool WalkAdd(const Node& add, const Shape& shape, int steps, AttentionScores* scores) const {
    for (int i = 0; i < 2; ++i) {
      if (!SameShape(add.inputs[i], shape) || !ShapeOf(graph_, add.inputs[1 - i])) continue;
      AttentionScores tried = *scores;
      tried.biases.push_back({add.inputs[1 - i], shape});
      if (!Walk(add.inputs[i], steps - 1, &tried)) continue;
      *scores = std::move(tried);
      return true;
    }
    return false;
  }

  bool WalkWhere(const Node& where, const Shape& shape, int steps, AttentionScores* scores) const {
    for (int i = 1; i < 3; ++i) {
      const auto hidden = matcher_.Scalar(where.inputs[3 - i]);
      if (!hidden || !SameShape(where.inputs[i], shape)) continue;
      constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
      // Biases so far come after the mask; a mask after a bias must leave nothing of it.
      AttentionScores inner;
      if (scores->mask || !Walk(where.inputs[i], steps - 1, &inner) || inner.mask ||
          (!inner.biases.empty() && *hidden != kMinusInfinity)) {
        continue;
      }
      scores->biases.insert(scores->biases.end(), inner.biases.begin(), inner.biases.end());
      scores->scale *= inner.scale;
      scores->product = inner.product;
      scores->mask = ScoreTerm{where.inputs[0], shape};
      scores->mask_hides = i == 2;
      scores->hidden = static_cast<float>(*hidden);
      return true;
    }
    return false;
  }

  const Graph& graph_;
  const Matcher& matcher_;
};

// The value after Where(IsNaN(p), 0, p), when those two are what reads p.
std::optional<ValueId> SkipNanGuard(const Graph& graph, const Matcher& matcher, ValueId p) {
  if (graph.IsGraphOutput(p) || matcher.Readers(p).size() != 2) return std::nullopt;
  for (NodeId id : matcher.Readers(p)) {
    const Node& where = graph.node(id);
    if (where.op->name != "Where" || !where.op->domain.empty() || !where.epilogue.empty() ||
        where.inputs[2] != p || !matcher.IsScalar(where.inputs[1], 0, 0)) {
      continue;
    }
    const Node* is_nan = matcher.Producer(where.inputs[0], "IsNaN");
    if (is_nan != nullptr && is_nan->inputs[0] == p) return where.outputs[0];
  }
  return std::nullopt;
}

// What query i sees of [..., queries, keys], given as a predicate of the elements; the same in
// every matrix where there are several.
template <typename Sees>
ConstantMask ReadMatrices(const Tensor& tensor, const Sees& sees) {
  ConstantMask mask;
  const int rank = tensor.rank();
  if (rank == 0 || tensor.num_elements() == 0) return mask;
  const int64_t keys = tensor.dim(rank - 1);
  const int64_t queries = rank > 1 ? tensor.dim(rank - 2) : 1;
  bool all = true;
  bool causal = queries > 1;
  for (int64_t row = 0; row < tensor.num_elements() / keys && (all || causal); ++row) {
    const int64_t first = row * keys;
    int64_t seen = 0;
    while (seen < keys && sees(first + seen)) ++seen;
    all = all && seen == keys;
    if (row == 0) mask.first_position = seen - 1;
    causal = causal && seen > 0 && seen == std::min(keys, mask.first_position + row % queries + 1);
    for (int64_t j = seen; causal && j < keys; ++j) causal = !sees(first + j);
  }
  if (all) mask.kind = ConstantMask::Kind::kNone;
  if (!all && causal) mask.kind = ConstantMask::Kind::kCausal;
  return mask;
}

}  // namespace

std::optional<AttentionScores> MatchScores(const Graph& graph, const Matcher& matcher,
                                           ValueId value) {
  AttentionScores scores;
  if (!ScoreWalk(graph, matcher).Walk(value, kMostSteps, &scores)) return std::nullopt;
  return scores;
}

std::optional<AttentionResult> MatchResult(const Graph& graph, const Matcher& matcher,
                                           ValueId probabilities) {
  AttentionResult result;
  if (const auto guarded = SkipNanGuard(graph, matcher, probabilities)) {
    probabilities = *guarded;
    result.zero_hidden_rows = true;
  }
  for (int step = 0; step < 3; ++step) {
    if (matcher.Uses(probabilities) != 1 || matcher.Readers(probabilities).empty()) break;
    const Node& node = graph.node(matcher.Readers(probabilities)[0]);
    if (node.removed || !node.op->domain.empty() || !node.epilogue.empty()) break;
    if (node.op->name == "MatMul" && node.inputs[0] == probabilities) {
      result.product = &node;
      return result;
    }
    if (node.op->name != "Reshape" || !KeepsMatrices(graph, probabilities, node.outputs[0])) {
      break;
    }
    probabilities = node.outputs[0];
  }
  return std::nullopt;
}

ConstantMask ReadConstantBias(const Tensor& bias) {
  if (bias.dtype() != DType::kFloat32) return ConstantMask();
  const float* values = bias.data<float>();
  bool plain = true;
  bool infinite = true;
  for (int64_t i = 0; i < bias.num_elements(); ++i) {
    plain = plain && (values[i] == 0 || values[i] <= kHiding);
    infinite = infinite && (values[i] == 0 || std::isinf(values[i]));
  }
  if (!plain) return ConstantMask();
  ConstantMask mask = ReadMatrices(bias, [&](int64_t i) { return values[i] == 0; });
  mask.infinite = infinite;
  return mask;
}

ConstantMask ReadConstantMask(const Tensor& mask, bool hides) {
  if (mask.dtype() != DType::kBool) return ConstantMask();
  const bool* values = mask.data<bool>();
  return ReadMatrices(mask, [&](int64_t i) { return values[i] != hides; });
}

}  // namespace inferd
