#include "engine/passes/pack_sequences.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/length_constant.h"
#include "engine/passes/pack_attention.h"
#include "engine/passes/token_pooling.h"
#include "engine/passes/token_rules.h"

namespace inferd {
namespace {

// Walks the two bindings side by side and writes the packed graph. Used once, by one thread.
class SequencePacker {
 public:
  SequencePacker(const SequenceBindings& bindings, int64_t tokens, int64_t sequences)
      : bindings_(bindings),
        a_(*bindings.shorter),
        b_(*bindings.longer),
        tokens_(tokens),
        sequences_(sequences) {}

  absl::StatusOr<PackedSequences> Run() {
    RETURN_IF_ERROR(CheckSameGraphs());
    forms_.assign(b_.num_values(), TokenForm());
    mapped_.assign(b_.num_values(), kNoValue);
    RETURN_IF_ERROR(AddInputs());
    for (NodeId id = 0; id < b_.num_nodes(); ++id) {
      if (b_.node(id).removed) continue;
      RETURN_IF_ERROR(AddNode(b_.node(id)));
    }
    RETURN_IF_ERROR(AddOutputs());
    RETURN_IF_ERROR(packed_.SortAndCompact());
    packed_.RemoveDeadNodes();
    RETURN_IF_ERROR(packed_.SortAndCompact());
    RETURN_IF_ERROR(InferGraph(packed_));
    return PackedSequences{std::move(packed_), std::move(forms_)};
  }

 private:
  static absl::Status Refused(const std::string& what) {
    return absl::FailedPreconditionError(what);
  }
  static absl::Status RefusedNode(const Node& node) {
    return Refused(
        absl::StrCat(NodeLabel(node), " mixes tokens or is not known to keep them apart"));
  }

  // Both bindings went through the same passes; where one was rewritten otherwise nothing follows.
  absl::Status CheckSameGraphs() const {
    const auto differ = [] { return Refused("the model's graph depends on the sequence length"); };
    if (a_.num_nodes() != b_.num_nodes() || a_.num_values() != b_.num_values()) return differ();
    for (NodeId id = 0; id < b_.num_nodes(); ++id) {
      const Node& a = a_.node(id);
      const Node& b = b_.node(id);
      if (a.op != b.op || a.inputs != b.inputs || a.outputs != b.outputs ||
          a.removed != b.removed || a.epilogue.size() != b.epilogue.size() ||
          !(IsAttention(b) || SameAttributes(a.attributes, b.attributes))) {
        return differ();
      }
    }
    return absl::OkStatus();
  }

  static bool IsAttention(const Node& node) {
    return node.op->domain == "inferd" && node.op->name == "Attention";
  }
  static bool SameAttributes(const Attributes& a, const Attributes& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end(),
                      [](const auto& x, const auto& y) {
                        return x.first == y.first && ToString(x.second) == ToString(y.second);
                      });
  }

  absl::Status AddInputs() {
    for (ValueId id : b_.inputs()) {
      const Value& value = b_.value(id);
      Shape shape = bindings_.ShapeOf(id);
      if (shape.rank() < 2 || shape[0] != 1 || !bindings_.IsLength(id, 1) ||
          bindings_.LengthAxes(id) != 2u) {
        return Refused(absl::StrCat("input ", value.name, " is not [1,length,...]"));
      }
      shape[1] = tokens_;
      mapped_[id] = packed_.AddInput(value.name, ValueType::OfTensor(value.type.dtype, shape));
      forms_[id] = {.kind = TokenForm::Kind::kTokens, .axis = 1};
    }
    positions_ =
        packed_.AddInput("positions", ValueType::OfTensor(DType::kInt64, Shape({tokens_})));
    offsets_ =
        packed_.AddInput("offsets", ValueType::OfTensor(DType::kInt64, Shape({sequences_ + 1})));
    return absl::OkStatus();
  }

  absl::Status AddOutputs() {
    std::vector<std::string> names;
    for (size_t i = 0; i < b_.outputs().size(); ++i) {
      const ValueId id = b_.outputs()[i];
      names.push_back(b_.output_name(static_cast<int>(i)));
      const TokenForm form = FormOf(id);
      const Shape shape = bindings_.ShapeOf(id);
      if (form.is_sequences() && shape[0] == 1 && shape.Product(0, form.axis) == 1) {
        packed_.MarkOutput(
            AsShape(Mapped(id), "", PackedShape(id, {.kind = form.kind, .axis = 0})));
        continue;
      }
      if (!form.is_tokens() || form.axis != 1 || form.uniform != 0 || shape[0] != 1) {
        return Refused(
            absl::StrCat("output ", names.back(), " has no entry for each token or sequence"));
      }
      packed_.MarkOutput(Mapped(id));
    }
    packed_.SetOutputNames(std::move(names));
    return absl::OkStatus();
  }

  // Inputs and outputs of nodes have their forms when asked for; constants get theirs here.
  TokenForm FormOf(ValueId id) {
    if (id == kNoValue) return {.kind = TokenForm::Kind::kInvariant};
    if (b_.constant(id) == nullptr || mapped_[id] != kNoValue) return forms_[id];
    if (a_.constant(id) == nullptr) return {};
    const auto constant = CompareLengths(*a_.constant(id), *b_.constant(id),
                                         bindings_.shorter_length, bindings_.longer_length);
    if (!constant) return {};
    TokenForm& form = forms_[id];
    form = {.kind = TokenForm::Kind::kInvariant,
            .axis = constant->axis,
            .uniform = constant->uniform,
            .counts = constant->counts};
    if (constant->kind == LengthConstant::Kind::kNumbers) form.kind = TokenForm::Kind::kNumbers;
    mapped_[id] = packed_.AddConstant("", constant->value);
    if (constant->kind == LengthConstant::Kind::kPerPosition) {
      form.kind = TokenForm::Kind::kTokens;
      Node lookup;
      lookup.name = absl::StrCat(b_.value(id).name, "/by_position");
      lookup.op = &OpRegistry::Builtin().Get("", "Gather");
      lookup.inputs = {mapped_[id], positions_};
      lookup.outputs = {packed_.AddValue("")};
      lookup.attributes.Set("axis", int64_t{form.axis});
      mapped_[id] = lookup.outputs[0];
      packed_.AddNode(std::move(lookup));
    }
    return form;
  }
  ValueId Mapped(ValueId id) const { return id == kNoValue ? kNoValue : mapped_[id]; }

  absl::Status AddNode(const Node& node) {
    bool any_entries = false;
    for (ValueId input : node.inputs) {
      const TokenForm form = FormOf(input);
      if (form.kind == TokenForm::Kind::kOther) return RefusedNode(node);
      any_entries = any_entries || form.has_entries();
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue && (!bindings_.IsTensor(output) || bindings_.HasOtherAxes(output))) {
        return RefusedNode(node);
      }
    }
    // What no token reaches is a constant by now, but for large lookups.
    if (!node.subgraphs.empty() || !node.op->deterministic ||
        !(any_entries || node.op->name == "Gather")) {
      return RefusedNode(node);
    }
    return AddTokenNode(node);
  }

  absl::Status AddTokenNode(const Node& node) {
    const absl::string_view op = node.op->name;
    if (IsAttention(node)) return AddAttention(node);
    if (!node.op->domain.empty() && node.op->domain != "com.microsoft") return RefusedNode(node);
    const TokenForm first = FormOf(node.inputs[0]);
    if (const auto pooling = PoolingOf(bindings_, node, first)) {
      return AddPooling(node, *pooling, first);
    }
    if (op == "Gather" || op == "GatherND") return AddGather(node);
    if (op == "GatherElements") return AddElementLookup(node);
    if (op == "CumSum") return AddRunningSum(node, first);
    if (op == "Expand") return AddExpand(node, ExpandForm(bindings_, node, first));
    if (node.op->op_class == OpClass::kView) {
      return AddReshape(node, node.inputs[0], ViewForm(bindings_, node, first));
    }
    std::vector<TokenForm> forms;
    for (int i = 0; i < node.num_op_inputs(); ++i) forms.push_back(FormOf(node.inputs[i]));
    return AddCopy(node, node.op->op_class == OpClass::kElementwise
                             ? ElementwiseForm(bindings_, node, forms)
                             : RowForm(bindings_, node, forms));
  }

  // The node as it is, over the mapped inputs.
  absl::Status AddCopy(const Node& node, const TokenForm& form) {
    if (form.kind == TokenForm::Kind::kOther || !EpilogueKeepsEntries(node, form)) {
      return RefusedNode(node);
    }
    Node copy = node;
    for (ValueId& input : copy.inputs) input = Mapped(input);
    for (ValueId& output : copy.outputs) {
      if (output == kNoValue) continue;
      forms_[output] = form;
      output = mapped_[output] = packed_.AddValue(b_.value(output).name);
    }
    packed_.AddNode(std::move(copy));
    return absl::OkStatus();
  }

  bool EpilogueKeepsEntries(const Node& node, const TokenForm& form) {
    const ValueId output = node.outputs[0];
    for (const EpilogueStep& step : node.epilogue) {
      if (step.operand < 0) continue;
      const ValueId operand = node.inputs[step.operand];
      const TokenForm other = FormOf(operand);
      if (other.is_invariant()) continue;
      if (other.uniform != 0 || other.kind != form.kind ||
          other.axis + bindings_.RankOf(output) - bindings_.RankOf(operand) != form.axis) {
        return false;
      }
    }
    return true;
  }

  // The output's shape where it has that form.
  Shape PackedShape(ValueId output, const TokenForm& form) const {
    Shape shape = bindings_.ShapeOf(output);
    for (int i = 0; i < shape.rank(); ++i) {
      if (form.uniform >> i & 1) shape[i] = 1;
    }
    shape[form.axis] = form.is_tokens() ? tokens_ : sequences_;
    return shape;
  }

  // A node of the packed graph that gives its first input that shape.
  ValueId AsShape(ValueId input, const std::string& name, const Shape& shape,
                  absl::string_view op = "Reshape") {
    const std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    Node node;
    node.name = name;
    node.op = &OpRegistry::Builtin().Get("", op);
    node.inputs = {input, packed_.AddConstant(
                              "", Tensor::FromValues<int64_t>(Shape({shape.rank()}),
                                                              absl::Span<const int64_t>(dims)))};
    node.outputs = {packed_.AddValue("")};
    const ValueId output = node.outputs[0];
    packed_.AddNode(std::move(node));
    return output;
  }

  absl::Status AddReshape(const Node& node, ValueId input, const TokenForm& form) {
    if (!form.has_entries()) return RefusedNode(node);
    const ValueId output = node.outputs[0];
    forms_[output] = form;
    mapped_[output] = AsShape(Mapped(input), node.name, PackedShape(output, form));
    return absl::OkStatus();
  }

  absl::Status AddExpand(const Node& node, const TokenForm& form) {
    if (!form.has_entries() || !node.epilogue.empty()) return RefusedNode(node);
    const ValueId output = node.outputs[0];
    forms_[output] = form;
    mapped_[output] =
        AsShape(Mapped(node.inputs[0]), node.name, PackedShape(output, form), "Expand");
    return absl::OkStatus();
  }

  absl::Status AddPooling(const Node& node, const TokenPooling& pooling, const TokenForm& data) {
    Node reduced;
    reduced.name = node.name;
    reduced.op = &OpRegistry::Builtin().Get("inferd", "ReduceSequences");
    reduced.attributes.Set("kind", std::string(pooling.kind));
    reduced.attributes.Set("axis", int64_t{data.axis});
    reduced.inputs = {Mapped(node.inputs[0]), offsets_};
    reduced.outputs = {packed_.AddValue("")};
    const ValueId rows = reduced.outputs[0];
    packed_.AddNode(std::move(reduced));
    const ValueId output = node.outputs[0];
    forms_[output] = pooling.output;
    mapped_[output] = AsShape(rows, "", PackedShape(output, pooling.output));
    return absl::OkStatus();
  }

  // Rows of a table by tokens, or tokens taken in their own order, as exports of masks do.
  absl::Status AddGather(const Node& node) {
    const ValueId data = node.inputs[0];
    const ValueId indices = node.inputs[1];
    const TokenForm data_form = FormOf(data);
    const TokenForm index_form = FormOf(indices);
    const bool by_axis = node.op->name == "Gather";
    if (data_form.uniform != 0) return RefusedNode(node);
    if (data_form.is_invariant()) return AddLookup(node, index_form);
    if (!data_form.is_tokens()) return RefusedNode(node);
    if (index_form.uniform != 0 || !index_form.is_tokens()) return RefusedNode(node);
    const int token_axis =
        by_axis ? TokensInOrder(node, data_form, index_form) : TuplesInOrder(node, data_form);
    if (token_axis < 0) return RefusedNode(node);
    return AddReshape(node, data, {.kind = TokenForm::Kind::kTokens, .axis = token_axis});
  }

  // A table's rows by tokens, or the same row at every position.
  absl::Status AddLookup(const Node& node, TokenForm form) {
    form.counts = false;
    if (node.op->name == "GatherND") {
      const int width_axis = bindings_.RankOf(node.inputs[1]) - 1;
      const bool by_token = form.is_tokens() && form.uniform == 0 && form.axis < width_axis &&
                            node.attributes.Int("batch_dims", 0) == 0;
      return by_token ? AddCopy(node, form) : RefusedNode(node);
    }
    const int64_t axis = node.attributes.Int("axis", 0);
    const int first = static_cast<int>(axis < 0 ? axis + bindings_.RankOf(node.inputs[0]) : axis);
    form.uniform <<= first;
    if (form.is_tokens()) form.axis += first;
    const bool kept = form.is_tokens() || (form.is_invariant() && node.epilogue.empty());
    return kept ? AddCopy(node, form) : RefusedNode(node);
  }

  // One element of a table for each token.
  absl::Status AddElementLookup(const Node& node) {
    const TokenForm table = FormOf(node.inputs[0]);
    TokenForm form = FormOf(node.inputs[1]);
    form.counts = false;
    const int64_t axis = node.attributes.Int("axis", 0);
    const bool by_token = table.is_invariant() && table.uniform == 0 && form.is_tokens() &&
                          form.uniform == 0 &&
                          (axis < 0 ? axis + bindings_.RankOf(node.inputs[0]) : axis) == form.axis;
    return by_token ? AddCopy(node, form) : RefusedNode(node);
  }

  // Along the tokens, from the first one on.
  absl::Status AddRunningSum(const Node& node, const TokenForm& data) {
    const Tensor* given = b_.constant(node.inputs[1]);
    const auto axis = given == nullptr ? std::vector<int64_t>()
                                       : given->ToInt64s().value_or(std::vector<int64_t>());
    const int rank = bindings_.RankOf(node.inputs[0]);
    if (!data.is_tokens() || data.uniform != 0 || axis.size() != 1 ||
        (axis[0] < 0 ? axis[0] + rank : axis[0]) != data.axis || !node.epilogue.empty() ||
        node.attributes.Int("reverse", 0) != 0 ||
        bindings_.ShapeOf(node.inputs[0]).Product(0, data.axis) != 1) {
      return RefusedNode(node);
    }
    Node sums;
    sums.name = node.name;
    sums.op = &OpRegistry::Builtin().Get("inferd", "AccumulateSequences");
    sums.attributes.Set("axis", int64_t{data.axis});
    sums.attributes.Set("exclusive", node.attributes.Int("exclusive", 0));
    sums.inputs = {Mapped(node.inputs[0]), offsets_};
    const ValueId output = node.outputs[0];
    forms_[output] = {.kind = TokenForm::Kind::kTokens, .axis = data.axis};
    sums.outputs = {mapped_[output] = packed_.AddValue(b_.value(output).name)};
    packed_.AddNode(std::move(sums));
    return absl::OkStatus();
  }

  // The output's token axis when a Gather takes all tokens of its data in order; -1 else.
  int TokensInOrder(const Node& node, const TokenForm& data, const TokenForm& indices) const {
    const int64_t axis = node.attributes.Int("axis", 0);
    const int rank = bindings_.RankOf(node.inputs[0]);
    if ((axis < 0 ? axis + rank : axis) != data.axis || !indices.counts) return -1;
    return data.axis + indices.axis;
  }

  // The same for a GatherND whose tuples are zero but for the token's index.
  int TuplesInOrder(const Node& node, const TokenForm& data) const {
    const Tensor* tuples = b_.constant(node.inputs[1]);
    const Shape shape = bindings_.ShapeOf(node.inputs[0]);
    if (tuples == nullptr || node.attributes.Int("batch_dims", 0) != 0) return -1;
    const int64_t width = tuples->dim(tuples->rank() - 1);
    const auto values = tuples->ToInt64s();
    if (!values.ok() || tuples->num_elements() != bindings_.longer_length * width ||
        width <= data.axis)
      return -1;
    for (int64_t i = 0; i < bindings_.longer_length; ++i) {
      for (int64_t j = 0; j < width; ++j) {
        if ((*values)[i * width + j] != (j == data.axis ? i : 0)) return -1;
      }
    }
    for (int64_t j = 0; j < width; ++j) {
      if (j != data.axis && shape[static_cast<int>(j)] != 1) return -1;
    }
    return forms_[node.inputs[1]].axis;
  }

  absl::Status AddAttention(const Node& node) {
    std::array<TokenForm, kAttentionInputs> forms;
    for (size_t i = 0; i < node.inputs.size(); ++i) forms[i] = FormOf(node.inputs[i]);
    const auto attention = PackAttention(bindings_, node, forms, tokens_);
    if (!attention) return RefusedNode(node);
    const auto kept = [&](size_t i, bool has) { return has ? Mapped(node.inputs[i]) : kNoValue; };
    Node packed;
    packed.name = node.name;
    packed.op = &OpRegistry::Builtin().Get("inferd", "PackedAttention");
    packed.attributes = attention->attention.ToAttributes();
    packed.inputs = {kept(0, true),
                     kept(1, true),
                     kept(2, true),
                     kept(3, attention->has_bias),
                     kept(4, attention->has_mask),
                     offsets_};
    const ValueId output = node.outputs[0];
    forms_[output] = attention->output;
    packed.outputs = {mapped_[output] = packed_.AddValue(b_.value(output).name)};
    packed_.AddNode(std::move(packed));
    return absl::OkStatus();
  }

  const SequenceBindings bindings_;
  const Graph& a_;
  const Graph& b_;
  const int64_t tokens_;
  const int64_t sequences_;
  Graph packed_;
  std::vector<TokenForm> forms_;  // by value of b_
  std::vector<ValueId> mapped_;   // of b_ to packed_
  ValueId positions_ = kNoValue;
  ValueId offsets_ = kNoValue;
};

}  // namespace

absl::StatusOr<PackedSequences> PackSequences(const SequenceBindings& bindings, int64_t tokens,
                                              int64_t sequences) {
  return SequencePacker(bindings, tokens, sequences).Run();
}

}  // namespace inferd
