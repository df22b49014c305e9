#include "engine/passes/pack_attention.h"

namespace inferd {
namespace {

bool AttendsToItself(const StridedAttention& attention, int64_t length) {
  return attention.batch == 1 && attention.queries == length && attention.keys == length &&
         attention.first_position == 0;
}

bool DifferInLengthsOnly(const StridedAttention& a, const StridedAttention& b) {
  const auto same = [](const HeadLayout& x, const HeadLayout& y) {
    return x.head == y.head && x.row == y.row && x.offset == y.offset;
  };
  return a.heads == b.heads && a.group == b.group && a.depth == b.depth && a.width == b.width &&
         same(a.q, b.q) && same(a.k, b.k) && same(a.v, b.v) && same(a.y, b.y) &&
         a.scale == b.scale && a.causal == b.causal && a.mask_hides == b.mask_hides &&
         a.hidden == b.hidden && a.zero_hidden_rows == b.zero_hidden_rows;
}

bool IsRowOfTokens(const Shape& shape, const TokenForm& form, const HeadLayout& layout) {
  if (!form.is_tokens() || form.uniform != 0) return false;
  const int64_t row = shape.Product(form.axis + 1, shape.rank());
  return shape.Product(0, form.axis) == 1 && layout.row == row && layout.offset < row;
}

std::optional<TokenForm> OutputForm(const SequenceBindings& bindings, ValueId output,
                                    const HeadLayout& layout) {
  const Shape shape = bindings.ShapeOf(output);
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const TokenForm form{.kind = TokenForm::Kind::kTokens, .axis = axis};
    if (bindings.LengthAxes(output) == 1u << axis && IsRowOfTokens(shape, form, layout)) {
      return form;
    }
  }
  return std::nullopt;
}

// Whether the bias or mask is kept: false for one that is absent or `neutral` throughout; nullopt
// for one that heads or queries see differently.
std::optional<bool> KeepsOperand(const SequenceBindings& bindings, ValueId operand,
                                 const TokenForm& form, double neutral) {
  if (operand == kNoValue) return false;
  Shape shape = bindings.ShapeOf(operand);
  for (int i = 0; i < shape.rank(); ++i) {
    if (form.uniform >> i & 1) shape[i] = 1;
  }
  if (form.is_tokens()) {
    const bool by_key =
        form.axis == shape.rank() - 1 && shape.num_elements() == bindings.longer_length;
    return by_key ? std::optional<bool>(true) : std::nullopt;
  }
  const Tensor* constant = bindings.longer->constant(operand);
  if (!form.is_invariant() || constant == nullptr || shape.num_elements() != 1) return std::nullopt;
  const double value =
      constant->dtype() == DType::kBool ? *constant->data<bool>() : *constant->data<float>();
  return value == neutral ? std::optional<bool>(false) : std::nullopt;
}

}  // namespace

std::optional<PackedAttentionNode> PackAttention(
    const SequenceBindings& bindings, const Node& node,
    const std::array<TokenForm, kAttentionInputs>& forms, int64_t tokens) {
  const auto shorter = StridedAttention::Read(bindings.AtShorter(node).attributes);
  const auto longer = StridedAttention::Read(node.attributes);
  if (!shorter.ok() || !longer.ok() || !node.epilogue.empty() ||
      !AttendsToItself(*shorter, bindings.shorter_length) ||
      !AttendsToItself(*longer, bindings.longer_length) ||
      !DifferInLengthsOnly(*shorter, *longer)) {
    return std::nullopt;
  }
  const HeadLayout* rows[] = {&longer->q, &longer->k, &longer->v};
  for (int i = 0; i < 3; ++i) {
    if (!IsRowOfTokens(bindings.ShapeOf(node.inputs[i]), forms[i], *rows[i])) return std::nullopt;
  }
  const auto operand = [&](size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; };
  const auto has_bias = KeepsOperand(bindings, operand(3), forms[3], 0);
  const auto has_mask = KeepsOperand(bindings, operand(4), forms[4], longer->mask_hides ? 0 : 1);
  const auto output = OutputForm(bindings, node.outputs[0], longer->y);
  if (!has_bias || !has_mask || !output) return std::nullopt;
  PackedAttentionNode packed{*longer, *output, *has_bias, *has_mask};
  packed.attention.queries = packed.attention.keys = tokens;
  packed.attention.bias = packed.attention.mask = {};
  packed.attention.output_shape[output->axis] = tokens;
  return packed;
}

}  // namespace inferd
