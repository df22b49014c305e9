#include "engine/passes/token_rules.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"

namespace inferd {
namespace {

// The axis of `input` in a broadcast output.
int AlignedAxis(const SequenceBindings& bindings, ValueId input, ValueId output, int axis) {
  return axis + bindings.RankOf(output) - bindings.RankOf(input);
}

// Whether the axis holds, in the binding of one row, what the form says.
bool HasAxis(const SequenceBindings& bindings, ValueId id, const TokenForm& form) {
  if (form.is_tokens()) return bindings.IsLength(id, form.axis);
  return bindings.LengthAxes(id) == 0 && bindings.ShapeOf(id)[form.axis] == 1;
}

// The axes that a constant input of a node names; nullopt where they are not known.
std::optional<std::vector<int>> ConstantAxes(const SequenceBindings& bindings, const Node& node,
                                             int input) {
  if (input >= node.num_op_inputs() || node.inputs[input] == kNoValue) return std::nullopt;
  const Tensor* constant = bindings.longer->constant(node.inputs[input]);
  if (constant == nullptr) return std::nullopt;
  const auto given = constant->ToInt64s();
  if (!given.ok() || given->empty()) return std::nullopt;
  auto axes = NormalizeAxes(*given, bindings.RankOf(node.inputs[0]));
  if (!axes.ok()) return std::nullopt;
  return *std::move(axes);
}

bool Contains(const std::vector<int>& axes, int axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

TokenForm ReductionForm(const SequenceBindings& bindings, const Node& node, TokenForm form) {
  const auto axes = ConstantAxes(bindings, node, 1);
  if (!axes || Contains(*axes, form.axis)) return {};
  if (node.attributes.Int("keepdims", 1) == 0) {
    form.axis -= static_cast<int>(
        std::count_if(axes->begin(), axes->end(), [&](int axis) { return axis < form.axis; }));
  }
  return form;
}

// Along another axis; tokens stay whole in every output.
TokenForm PartForm(const SequenceBindings& bindings, const Node& node, int split_axis,
                   const TokenForm& form) {
  if (form.is_tokens() && bindings.LengthAxes(node.outputs[0]) != 1u << form.axis) return {};
  if (node.op->name == "Split") return form.axis != split_axis ? form : TokenForm();
  if (form.is_tokens()) return form;
  const auto axes = ConstantAxes(bindings, node, 3);
  return axes && !Contains(*axes, form.axis) ? form : TokenForm();
}

TokenForm TransposedForm(const Node& node, TokenForm form) {
  const auto& order = node.attributes.Ints("perm");
  const auto at = std::find(order.begin(), order.end(), form.axis);
  if (at == order.end()) return {};
  form.axis = static_cast<int>(at - order.begin());
  return form;
}

// Operators whose other inputs depend on no sequence.
TokenForm FormOfFirst(const SequenceBindings& bindings, const Node& node, TokenForm form) {
  const absl::string_view op = node.op->name;
  form.counts = false;
  const int rank = bindings.RankOf(node.inputs[0]);
  const auto attribute_axis = [&](int64_t missing) {
    const int64_t axis = node.attributes.Int("axis", missing);
    return static_cast<int>(axis < 0 ? axis + rank : axis);
  };
  if (op == "MatMul") {
    return form.axis < rank - 1 && bindings.RankOf(node.inputs[1]) == 2 ? form : TokenForm();
  }
  if (op == "Gemm") {
    return form.axis == 0 && node.attributes.Int("transA", 0) == 0 ? form : TokenForm();
  }
  if (op == "LayerNormalization" || op == "RMSNormalization") {
    return form.axis < attribute_axis(-1) ? form : TokenForm();
  }
  if (op == "Softmax" || op == "LogSoftmax" || op == "ArgMax" || op == "ArgMin") {
    const bool kept = op[0] != 'A' || node.attributes.Int("keepdims", 1) != 0;
    return form.axis != attribute_axis(op[0] == 'A' ? 0 : -1) && kept ? form : TokenForm();
  }
  if (op == "Transpose") return TransposedForm(node, form);
  if (op == "Split" || op == "Slice") return PartForm(bindings, node, attribute_axis(0), form);
  if (op.substr(0, 6) == "Reduce") return ReductionForm(bindings, node, form);
  return {};
}

// Joins equals along another axis.
TokenForm JoinedForm(const SequenceBindings& bindings, const Node& node,
                     absl::Span<const TokenForm> forms) {
  const int64_t axis = node.attributes.Int("axis", 0);
  const TokenForm& first = forms[0];
  const bool same = std::all_of(forms.begin(), forms.end(), [&](const TokenForm& form) {
    return form.has_entries() && form.kind == first.kind && form.axis == first.axis &&
           form.uniform == 0;
  });
  if (!same || (axis < 0 ? axis + bindings.RankOf(node.inputs[0]) : axis) == first.axis) return {};
  return {.kind = first.kind, .axis = first.axis};
}

}  // namespace

TokenForm ElementwiseForm(const SequenceBindings& bindings, const Node& node,
                          absl::Span<const TokenForm> forms) {
  const ValueId output = node.outputs[0];
  TokenForm result;
  for (size_t i = 0; i < forms.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    if (forms[i].kind == TokenForm::Kind::kNumbers) return {};
    if (!forms[i].has_entries()) continue;
    const int axis = AlignedAxis(bindings, node.inputs[i], output, forms[i].axis);
    if (result.axis >= 0 && (result.axis != axis || result.kind != forms[i].kind)) return {};
    result.kind = forms[i].kind;
    result.axis = axis;
  }
  if (!result.has_entries() || !HasAxis(bindings, output, result)) return {};
  result.uniform = bindings.LengthAxes(output) & ~(1u << result.axis);
  return result;
}

TokenForm RowForm(const SequenceBindings& bindings, const Node& node,
                  absl::Span<const TokenForm> forms) {
  if (forms.empty()) return {};
  if (node.op->name == "Concat") return JoinedForm(bindings, node, forms);
  for (size_t i = 0; i < forms.size(); ++i) {
    if (forms[i].uniform != 0) return {};
    if (i == 0 ? !forms[i].has_entries() : !forms[i].is_invariant()) return {};
  }
  return FormOfFirst(bindings, node, forms[0]);
}

TokenForm ExpandForm(const SequenceBindings& bindings, const Node& node, const TokenForm& data) {
  if (!data.has_entries()) return {};
  const ValueId output = node.outputs[0];
  TokenForm form{.kind = data.kind,
                 .axis = AlignedAxis(bindings, node.inputs[0], output, data.axis)};
  if (!HasAxis(bindings, output, form)) return {};
  form.uniform = bindings.LengthAxes(output) & ~(1u << form.axis);
  return form;
}

TokenForm ViewForm(const SequenceBindings& bindings, const Node& node, const TokenForm& data) {
  if (!data.has_entries() || data.uniform != 0) return {};
  const ValueId output = node.outputs[0];
  const Shape from = bindings.ShapeOf(node.inputs[0]);
  const Shape to = bindings.ShapeOf(output);
  const uint32_t lengths = bindings.LengthAxes(output);
  const auto fits = [&](int axis) {
    // Row-major bytes keep their order: the axis stays whole where as many elements lie before it.
    if (axis < 0 || axis >= to.rank() || to.Product(0, axis) != from.Product(0, data.axis)) {
      return false;
    }
    return data.is_tokens() ? lengths == 1u << axis && bindings.IsLength(output, axis)
                            : lengths == 0 && to[axis] == 1;
  };
  // Among neighbours of size 1 the one that other operands broadcast with.
  const int aligned = data.axis + to.rank() - from.rank();
  if (fits(aligned)) return {.kind = data.kind, .axis = aligned};
  for (int axis = 0; axis < to.rank(); ++axis) {
    if (fits(axis)) return {.kind = data.kind, .axis = axis};
  }
  return {};
}

}  // namespace inferd
