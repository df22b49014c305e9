#include "engine/passes/attention_match.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/graph/op_def.h"
#include "engine/ops/attention_shape.h"
#include "engine/passes/attention_pattern.h"
#include "engine/passes/strided_view.h"

namespace inferd {
namespace {

bool IsFloat(const Graph& graph, ValueId value) {
  const ValueType& type = graph.value(value).type;
  return type.is_tensor() && type.dtype == DType::kFloat32 && type.shape.IsConcrete();
}

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

// Reads one attention. Used once.
class AttentionMatch {
 public:
  AttentionMatch(const Graph& graph, const Matcher& matcher) : graph_(graph), matcher_(matcher) {}

  std::optional<FusedAttention> AroundSoftmax(const Node& softmax) {
    const auto scores = MatchScores(graph_, matcher_, softmax.inputs[0]);
    const auto result = MatchResult(graph_, matcher_, softmax.outputs[0]);
    if (!scores || !result) return std::nullopt;
    fused_.attention.zero_hidden_rows = result->zero_hidden_rows;
    scale_ = scores->scale;
    if (!ReadSizes(*scores->product, *result->product)) return std::nullopt;
    const StridedAttention& a = fused_.attention;
    const auto rows = [&](int64_t count, int64_t columns) {
      return [this, shape = OperandShape(count, columns)](StridedView* view) {
        return SplitOuter(shape, view);
      };
    };
    const auto keys = [split = rows(a.depth, a.keys)](StridedView* view) {
      if (!split(view)) return false;
      view->Transpose({0, 1, 3, 2});
      return true;
    };
    const bool done = ReadQuery(scores->product->inputs[0], rows(a.queries, a.depth)) &&
                      ReadKeys(scores->product->inputs[1], keys) &&
                      ReadValues(result->product->inputs[1], rows(a.keys, a.width)) &&
                      ReadMasks(*scores) && ReadResult(result->product->outputs[0]);
    fused_.attention.scale = static_cast<float>(scale_);
    return done ? std::optional(std::move(fused_)) : std::nullopt;
  }

  std::optional<FusedAttention> OfOperator(const Node& node) {
    AttentionScores scores;
    if (!DoesNoMore(node) || !ReadOperatorSizes(node) || !ReadOperatorMask(node, &scores)) {
      return std::nullopt;
    }
    StridedAttention& a = fused_.attention;
    const int64_t kv_heads = a.heads / a.group;
    const auto heads = [&](int64_t count, int64_t rows, int64_t columns) {
      return [=, this](StridedView* view) { return SplitRows(count, rows, columns, view); };
    };
    a.zero_hidden_rows = true;
    const bool done = ReadQuery(node.inputs[0], heads(a.heads, a.queries, a.depth)) &&
                      ReadKeys(node.inputs[1], heads(kv_heads, a.keys, a.depth)) &&
                      ReadValues(node.inputs[2], heads(kv_heads, a.keys, a.width)) &&
                      ReadMasks(scores) && ReadResult(node.outputs[0]);
    a.scale = static_cast<float>(scale_);
    return done ? std::optional(std::move(fused_)) : std::nullopt;
  }

 private:
  // A product of rank 4 tells batch and heads; with rank 3 they may be one dimension, and Q tells
  // how that came to be.
  bool ReadSizes(const Node& scores, const Node& result) {
    for (ValueId value : {scores.inputs[0], scores.inputs[1], result.inputs[1], scores.outputs[0],
                          result.outputs[0]}) {
      if (!IsFloat(graph_, value)) return false;
    }
    const Shape product = ShapeOf(graph_, scores.outputs[0]);
    const Shape y = ShapeOf(graph_, result.outputs[0]);
    const Shape q = ShapeOf(graph_, scores.inputs[0]);
    const int rank = product.rank();
    if (rank != y.rank() || rank < 3 || rank > 4 || q.rank() != rank || y.num_elements() == 0 ||
        product.num_elements() == 0 || q.num_elements() == 0) {
      return false;
    }
    StridedAttention& a = fused_.attention;
    a.queries = product[rank - 2];
    a.keys = product[rank - 1];
    a.depth = q[rank - 1];
    a.width = y[rank - 1];
    a.batch = rank == 4 ? product[0] : 1;
    a.heads = rank == 4 ? product[1] : product[0];
    outer_ = product.Product(0, rank - 2);
    rank_ = rank;
    if (rank == 3) SplitBatchAndHeads(scores.inputs[0]);
    return true;
  }

  void SplitBatchAndHeads(ValueId q) {
    const ViewChain chain(graph_, matcher_, q, true);
    for (int count = chain.size(); count > 0; --count) {
      const auto view = chain.ViewOf(count);
      if (!view || view->rank() != 3) continue;
      const StridedView::Axis outer = view->Merged(0);
      if (outer.size() != 2) continue;
      fused_.attention.batch = outer[0].size;
      fused_.attention.heads = outer[1].size;
      return;
    }
  }

  // The shape of an operand of that many rows, as the product has it.
  Shape OperandShape(int64_t rows, int64_t columns) const {
    if (rank_ == 3) return Shape({outer_, rows, columns});
    return Shape({fused_.attention.batch, fused_.attention.heads, rows, columns});
  }
  // `view`, broadcast to `shape`, over [batch, heads, rows, columns].
  bool SplitOuter(const Shape& shape, StridedView* view) const {
    const int rank = shape.rank();
    return rank >= 2 && view->Broadcast(shape) &&
           view->Reshape(Shape(
               {fused_.attention.batch, fused_.attention.heads, shape[rank - 2], shape[rank - 1]}));
  }

  // One of Q, K, V, whose rows are neighbouring elements; from the furthest value that holds it so.
  // `adapt` makes of a view of `value` one over [batch, heads, rows, columns], which `fits` sees.
  template <typename Adapt, typename Fits>
  std::optional<ValueId> ReadOperand(ValueId value, bool with_scale, HeadLayout* layout,
                                     const Adapt& adapt, const Fits& fits) {
    const ViewChain chain(graph_, matcher_, value, with_scale);
    for (int count = chain.size(); count >= 0; --count) {
      auto view = chain.ViewOf(count);
      if (!view || !adapt(&*view)) continue;
      const auto batch = view->Stride(0);
      const auto row = view->Stride(2);
      const auto column = view->Stride(3);
      if (!batch || !row || !column || (*column != 1 && view->size(3) != 1)) continue;
      layout->batch = *batch;
      layout->row = *row;
      layout->offset = view->offset();
      if (!fits(*view)) continue;
      scale_ *= chain.Scale(count);
      return chain.Base(count);
    }
    return std::nullopt;
  }

  template <typename Adapt>
  bool ReadQuery(ValueId value, const Adapt& adapt) {
    HeadLayout& q = fused_.attention.q;
    const auto base = ReadOperand(value, true, &q, adapt, [&](const StridedView& view) {
      const auto head = view.Stride(1);
      q.head = head.value_or(0);
      return head.has_value();
    });
    fused_.q = base.value_or(kNoValue);
    return base.has_value();
  }

  // Q, K and V of the operator, [batch, heads, rows, columns] or its flat form, to all heads of Q.
  bool SplitRows(int64_t heads, int64_t rows, int64_t columns, StridedView* view) const {
    const StridedAttention& a = fused_.attention;
    if (flat_) {
      if (!view->Reshape(Shape({a.batch, rows, heads, columns}))) return false;
      view->Transpose({0, 2, 1, 3});
    }
    return view->Reshape(Shape({a.batch, heads, 1, rows, columns})) &&
           view->Broadcast(Shape({a.batch, heads, a.heads / heads, rows, columns})) &&
           view->Reshape(Shape({a.batch, a.heads, rows, columns}));
  }

  // False where the operator does what inferd.Attention does not.
  bool DoesNoMore(const Node& node) const {
    const Attributes& attributes = node.attributes;
    const int64_t type = attributes.Int("softmax_precision", 0);
    if (attributes.Float("softcap", 0) != 0 || attributes.Int("left_window_size", -1) != -1 ||
        attributes.Int("right_window_size", -1) != -1 ||
        (type != 0 && type != static_cast<int64_t>(DType::kFloat32))) {
      return false;
    }
    for (size_t i = 4; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != kNoValue) return false;
    }
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != kNoValue && matcher_.Uses(node.outputs[i]) > 0) return false;
    }
    return node.outputs[0] != kNoValue && IsFloat(graph_, node.outputs[0]);
  }

  bool ReadOperatorSizes(const Node& node) {
    for (int i = 0; i < 3; ++i) {
      if (node.inputs[i] == kNoValue || !IsFloat(graph_, node.inputs[i])) return false;
    }
    AttentionInputs inputs;
    inputs.q = &graph_.value(node.inputs[0]).type.shape;
    inputs.k = &graph_.value(node.inputs[1]).type.shape;
    inputs.v = &graph_.value(node.inputs[2]).type.shape;
    const auto sizes = ResolveAttention(node.attributes, inputs);
    if (!sizes.ok()) return false;
    StridedAttention& a = fused_.attention;
    flat_ = sizes->flat;
    a.batch = sizes->batch.value;
    a.heads = sizes->q_heads.value;
    a.group = a.heads / sizes->kv_heads.value;
    a.queries = sizes->q_sequence.value;
    a.keys = sizes->kv_sequence.value;
    a.depth = sizes->head_size.value;
    a.width = sizes->v_head_size.value;
    scale_ = node.attributes.Has("scale") ? static_cast<double>(node.attributes.Float("scale", 1))
                                          : 1 / std::sqrt(static_cast<double>(a.depth));
    return std::min({a.batch, a.heads, a.queries, a.keys, a.depth, a.width}) > 0;
  }

  bool ReadOperatorMask(const Node& node, AttentionScores* scores) {
    StridedAttention& a = fused_.attention;
    a.causal = node.attributes.Int("is_causal", 0) != 0;
    if (node.inputs.size() < 4 || node.inputs[3] == kNoValue) return true;
    const ValueType& type = graph_.value(node.inputs[3]).type;
    const ScoreTerm term{node.inputs[3], Shape({a.batch, a.heads, a.queries, a.keys})};
    // A mask may be shorter than the keys, which hides the rest of them.
    if (!type.shape.IsConcrete() || type.shape.rank() < 1 ||
        !type.shape[type.shape.rank() - 1].Is(a.keys)) {
      return false;
    }
    if (type.dtype == DType::kBool) {
      scores->mask = term;
      scores->hidden = -std::numeric_limits<float>::infinity();
    } else {
      scores->biases.push_back(term);
    }
    return type.dtype == DType::kBool || type.dtype == DType::kFloat32;
  }

  // Heads that share keys repeat them: with stride 0 inside.
  static std::optional<std::pair<int64_t, int64_t>> GroupAndStride(const StridedView& view) {
    const StridedView::Axis heads = view.Merged(1);
    if (heads.empty()) return std::pair<int64_t, int64_t>(1, 0);
    const StridedView::Factor& last = heads.back();
    if (heads.size() == 1) {
      return std::pair(last.stride == 0 ? last.size : 1, last.stride);
    }
    if (heads.size() != 2 || last.stride != 0) return std::nullopt;
    return std::pair(last.size, heads[0].stride);
  }

  template <typename Adapt>
  bool ReadKeys(ValueId value, const Adapt& adapt) {
    StridedAttention& a = fused_.attention;
    const auto base = ReadOperand(value, true, &a.k, adapt, [&](const StridedView& view) {
      const auto group = GroupAndStride(view);
      if (!group) return false;
      a.group = group->first;
      a.k.head = group->second;
      return true;
    });
    fused_.k = base.value_or(kNoValue);
    return base.has_value();
  }

  template <typename Adapt>
  bool ReadValues(ValueId value, const Adapt& adapt) {
    StridedAttention& a = fused_.attention;
    const auto base = ReadOperand(value, false, &a.v, adapt, [&](const StridedView& view) {
      const auto group = GroupAndStride(view);
      a.v.head = group ? group->second : 0;
      return group && group->first == a.group;
    });
    fused_.v = base.value_or(kNoValue);
    return base.has_value();
  }

  // The furthest value that holds the term with neighbouring keys.
  std::optional<ValueId> ReadTerm(const ScoreTerm& term, StridedAttention::ScoreLayout* layout) {
    const ViewChain chain(graph_, matcher_, term.value, false);
    for (int count = chain.size(); count >= 0; --count) {
      if (!graph_.value(chain.Base(count)).type.shape.IsConcrete()) continue;
      auto view = chain.ViewOf(count);
      if (!view || !SplitOuter(term.shape, &*view) || view->offset() != 0) continue;
      const auto batch = view->Stride(0);
      const auto head = view->Stride(1);
      const auto query = view->Stride(2);
      const auto key = view->Stride(3);
      if (!batch || !head || !query || !key || (*key != 1 && view->size(3) != 1)) continue;
      *layout = {*batch, *head, *query};
      return chain.Base(count);
    }
    return std::nullopt;
  }

  // Whether a constant term needs no operand: it does nothing, or hides what is still to come.
  bool IsCausalAlone(const ConstantMask& constant, bool infinite, bool alone) {
    if (constant.kind == ConstantMask::Kind::kNone) return true;
    // A finite value would let rows that another mask hides see what the causal one hides.
    if (constant.kind != ConstantMask::Kind::kCausal || !(alone || infinite) ||
        fused_.attention.causal) {
      return false;
    }
    fused_.attention.causal = true;
    fused_.attention.first_position = constant.first_position;
    return true;
  }

  bool ReadMasks(const AttentionScores& scores) {
    StridedAttention& a = fused_.attention;
    const bool alone = scores.biases.size() + (scores.mask ? 1 : 0) == 1;
    for (const ScoreTerm& term : scores.biases) {
      if (const Tensor* constant = graph_.constant(term.value)) {
        const ConstantMask read = ReadConstantBias(*constant);
        if (IsCausalAlone(read, read.infinite, alone)) continue;
      }
      if (!IsFloat(graph_, term.value)) return false;
      fused_.biases.push_back(term);
    }
    if (fused_.biases.size() == 1) {
      const auto base = ReadTerm(fused_.biases[0], &a.bias);
      if (!base) return false;
      fused_.biases[0].value = *base;
    }
    if (!scores.mask) return true;
    a.mask_hides = scores.mask_hides;
    a.hidden = scores.hidden;
    if (const Tensor* constant = graph_.constant(scores.mask->value)) {
      const bool infinite = std::isinf(scores.hidden);
      if (scores.hidden <= -1e4f &&
          IsCausalAlone(ReadConstantMask(*constant, scores.mask_hides), infinite, alone)) {
        return true;
      }
    }
    const auto base = ReadTerm(*scores.mask, &a.mask);
    fused_.mask = base.value_or(kNoValue);
    return base.has_value() && graph_.value(*base).type.dtype == DType::kBool;
  }

  // How the rows of Y lie in the last value that only rearranges them.
  bool ReadResult(ValueId y) {
    std::vector<const Node*> readers;
    std::vector<ValueId> values = {y};
    while (readers.size() < 4 && matcher_.Uses(values.back()) == 1 &&
           !matcher_.Readers(values.back()).empty()) {
      const Node& node = graph_.node(matcher_.Readers(values.back())[0]);
      const bool view = node.op->op_class == OpClass::kView || node.op->name == "Transpose";
      if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() || !view ||
          node.inputs[0] != values.back() || !IsFloat(graph_, node.outputs[0])) {
        break;
      }
      readers.push_back(&node);
      values.push_back(node.outputs[0]);
    }
    for (size_t count = readers.size() + 1; count-- > 0;) {
      if (!PlaceResult(ShapeOf(graph_, y), {readers.data(), count})) continue;
      fused_.y = values[count];
      fused_.attention.output_shape = ShapeOf(graph_, values[count]);
      return true;
    }
    return false;
  }

  bool PlaceResult(const Shape& y, absl::Span<const Node* const> readers) {
    StridedAttention& a = fused_.attention;
    const Shape logical({a.batch, a.heads, a.queries, a.width});
    StridedView view(logical);
    if (flat_) view.Transpose({0, 2, 1, 3});
    if (!view.Reshape(y)) return false;
    for (const Node* node : readers) {
      if (!ApplyToView(graph_, *node, node->outputs[0], &view)) return false;
    }
    // Each dimension of Y must still be one factor; its stride then follows from what is inside.
    const Shape::Dims strides = logical.RowMajorStrides();
    int64_t placed[4] = {0, 0, 0, 0};
    const std::vector<StridedView::Factor> factors = view.Factors();
    int64_t step = 1;
    for (size_t i = factors.size(); i-- > 0;) {
      int dim = 0;
      while (dim < 4 && (factors[i].stride != strides[dim] || logical[dim] != factors[i].size)) {
        ++dim;
      }
      if (dim == 4) return false;
      placed[dim] = step;
      step *= factors[i].size;
    }
    if (a.width != 1 && placed[3] != 1) return false;
    a.y = {placed[0], placed[1], placed[2], 0};
    return true;
  }

  const Graph& graph_;
  const Matcher& matcher_;
  FusedAttention fused_;
  double scale_ = 1;
  int64_t outer_ = 1;  // batch times heads
  int rank_ = 4;       // of the scores
  bool flat_ = false;  // heads side by side in the rows of an operator's operands
};

}  // namespace

std::optional<FusedAttention> MatchSoftmax(const Graph& graph, const Matcher& matcher,
                                           const Node& softmax) {
  return AttentionMatch(graph, matcher).AroundSoftmax(softmax);
}

std::optional<FusedAttention> MatchOperator(const Graph& graph, const Matcher& matcher,
                                            const Node& attention) {
  return AttentionMatch(graph, matcher).OfOperator(attention);
}

}  // namespace inferd
