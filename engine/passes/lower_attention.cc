#include <optional>

#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

Tensor Ints(std::vector<int64_t> values) {
  const Shape shape({static_cast<int64_t>(values.size())});
  return Tensor::FromValues<int64_t>(shape, absl::Span<const int64_t>(values));
}

bool HasInput(const Node& node, size_t i) {
  return i < node.inputs.size() && node.inputs[i] != kNoValue;
}

bool IsFloat(const Graph& graph, ValueId value, int rank) {
  const ValueType& type = graph.value(value).type;
  return type.is_tensor() && type.dtype == DType::kFloat32 && type.shape.IsConcrete() &&
         type.shape.rank() == rank;
}

// Writes one operator of com.microsoft as ones of ai.onnx. Used once.
class AttentionWriter {
 public:
  AttentionWriter(Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  // Whether it is of a form that Write() knows: float, no past, nothing handed out beside Y, a mask
  // of keys if any.
  bool Knows(const Matcher& matcher) const {
    const bool multi = IsMulti();
    for (size_t i = 0; i < (multi ? 3u : 2u); ++i) {
      if (!HasInput(node_, i) || !IsFloat(graph_, node_.inputs[i], multi || i == 0 ? 3 : 2)) {
        return false;
      }
    }
    for (size_t i = 1; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] != kNoValue && matcher.Uses(node_.outputs[i]) > 0) return false;
    }
    const Attributes& attributes = node_.attributes;
    if (attributes.Int("do_rotary", 0) != 0 ||
        attributes.Int("past_present_share_buffer", 0) != 0) {
      return false;
    }
    for (size_t i = multi ? 6 : 4; i < node_.inputs.size(); ++i) {
      if (HasInput(node_, i) && (multi || i != 5)) return false;
    }
    if (node_.outputs[0] == kNoValue || !IsFloat(graph_, node_.outputs[0], 3)) return false;
    if (multi && HasInput(node_, 3) && graph_.constant(node_.inputs[3]) == nullptr) return false;
    return !HasInput(node_, MaskInput()) || IsKeyMask(node_.inputs[MaskInput()]);
  }

  absl::Status Write() {
    ASSIGN_OR_RETURN(std::vector<ValueId> inputs, IsMulti() ? Operands() : Projections());
    ASSIGN_OR_RETURN(const ValueId bias, Bias());
    if (bias != kNoValue) inputs.push_back(bias);
    Attributes attributes;
    const int64_t heads = node_.attributes.Int("num_heads", 0);
    attributes.Set("q_num_heads", heads);
    attributes.Set("kv_num_heads", heads);
    attributes.Set("is_causal", node_.attributes.Int("unidirectional", 0));
    if (const float scale = node_.attributes.Float("scale", 0); scale != 0) {
      attributes.Set("scale", scale);
    }
    Node attention;
    attention.name = node_.name;
    attention.op = &OpRegistry::Builtin().Get("", "Attention");
    attention.inputs = std::move(inputs);
    attention.outputs = {node_.outputs[0]};
    attention.attributes = std::move(attributes);
    graph_.RemoveNode(graph_.value(node_.outputs[0]).producer);
    return InferNode(graph_, graph_.AddNode(std::move(attention)));
  }

 private:
  bool IsMulti() const { return node_.op->name == "MultiHeadAttention"; }
  size_t MaskInput() const { return IsMulti() ? 4 : 3; }
  size_t AddedInput() const { return 5; }

  // [batch, keys]; [batch, 1], which hides nothing, is the same only where there is one key.
  bool IsKeyMask(ValueId mask) const {
    const ValueType& type = graph_.value(mask).type;
    const SymbolicShape& keys = graph_.value(node_.inputs[IsMulti() ? 1 : 0]).type.shape;
    return type.dtype == DType::kInt32 && type.shape.IsConcrete() && type.shape.rank() == 2 &&
           type.shape[0].Is(keys[0].value) && type.shape[1].Is(keys[1].value) && keys[1].value > 1;
  }

  absl::StatusOr<ValueId> Add(absl::string_view op, std::vector<ValueId> inputs) {
    Node node;
    node.name = node_.name;
    node.op = &OpRegistry::Builtin().Get("", op);
    node.inputs = std::move(inputs);
    const ValueId output = graph_.AddValue("");
    node.outputs = {output};
    RETURN_IF_ERROR(InferNode(graph_, graph_.AddNode(std::move(node))));
    return output;
  }

  // Q, K and V as parts of one product.
  absl::StatusOr<std::vector<ValueId>> Projections() {
    ASSIGN_OR_RETURN(ValueId product, Add("MatMul", {node_.inputs[0], node_.inputs[1]}));
    if (HasInput(node_, 2)) {
      ASSIGN_OR_RETURN(product, Add("Add", {product, node_.inputs[2]}));
    }
    std::vector<int64_t> sizes = node_.attributes.Ints("qkv_hidden_sizes");
    if (sizes.empty()) {
      sizes.assign(3, graph_.value(node_.inputs[1]).type.shape[1].value / 3);
    }
    Node split;
    split.name = node_.name;
    split.op = &OpRegistry::Builtin().Get("", "Split");
    split.inputs = {product, graph_.AddConstant("", Ints(std::move(sizes)))};
    split.attributes.Set("axis", int64_t{2});
    for (int i = 0; i < 3; ++i) split.outputs.push_back(graph_.AddValue(""));
    std::vector<ValueId> parts = split.outputs;
    RETURN_IF_ERROR(InferNode(graph_, graph_.AddNode(std::move(split))));
    return parts;
  }

  // The given Q, K and V with their parts of the bias.
  absl::StatusOr<std::vector<ValueId>> Operands() {
    std::vector<ValueId> operands(node_.inputs.begin(), node_.inputs.begin() + 3);
    if (!HasInput(node_, 3)) return operands;
    const Tensor bias = *graph_.constant(node_.inputs[3]);
    const float* part = bias.data<float>();
    for (ValueId& operand : operands) {
      const int64_t columns = graph_.value(operand).type.shape[2].value;
      const ValueId constant = graph_.AddConstant(
          "", Tensor::FromValues<float>(Shape({columns}), absl::Span<const float>(part, columns)));
      ASSIGN_OR_RETURN(operand, Add("Add", {operand, constant}));
      part += columns;
    }
    return operands;
  }

  // What is added to the scores, [batch, 1 or heads, 1 or queries, keys]; kNoValue for nothing.
  absl::StatusOr<ValueId> Bias() {
    const ValueId added = HasInput(node_, AddedInput()) ? node_.inputs[AddedInput()] : kNoValue;
    if (!HasInput(node_, MaskInput())) return added;
    const ValueId none = graph_.AddConstant("", Tensor::Scalar<int32_t>(0));
    const ValueId zero = graph_.AddConstant("", Tensor::Scalar<float>(0));
    const ValueId filter = graph_.AddConstant(
        "", Tensor::Scalar<float>(node_.attributes.Float("mask_filter_value", -10000.0f)));
    ASSIGN_OR_RETURN(const ValueId seen, Add("Greater", {node_.inputs[MaskInput()], none}));
    ASSIGN_OR_RETURN(const ValueId chosen, Add("Where", {seen, zero, filter}));
    ASSIGN_OR_RETURN(const ValueId bias,
                     Add("Unsqueeze", {chosen, graph_.AddConstant("", Ints({1, 2}))}));
    return added == kNoValue ? bias : Add("Add", {bias, added});
  }

  Graph& graph_;
  const Node node_;  // a copy: the graph's own moves when nodes are added
};

}  // namespace

absl::StatusOr<int> LowerAttention(Graph& graph, const PassContext&) {
  int changes = 0;
  const Matcher matcher(graph);
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    const Node& node = graph.node(id);
    if (node.removed || node.op->domain != "com.microsoft" || !node.epilogue.empty() ||
        (node.op->name != "Attention" && node.op->name != "MultiHeadAttention")) {
      continue;
    }
    AttentionWriter writer(graph, node);
    if (!writer.Knows(matcher)) continue;
    RETURN_IF_ERROR(writer.Write());
    ++changes;
  }
  return changes;
}

}  // namespace inferd
