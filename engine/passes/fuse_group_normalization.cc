#include <algorithm>
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

bool IsAll(const Graph& graph, ValueId value, float expected) {
  const Tensor* constant = graph.constant(value);
  if (constant == nullptr || constant->dtype() != DType::kFloat32) return false;
  const auto values = constant->values<float>();
  return std::all_of(values.begin(), values.end(), [=](float v) { return v == expected; });
}

// A constant with one value for each channel of x, as [C,1,1] or [1,C,1,1] of an image.
bool IsPerChannel(const Graph& graph, ValueId value, const SymbolicShape& x) {
  const Tensor* constant = graph.constant(value);
  const int rank = constant == nullptr ? 0 : constant->rank();
  const int channel_axis = rank - x.rank() + 1;
  return constant != nullptr && constant->dtype() == DType::kFloat32 && channel_axis >= 0 &&
         channel_axis < rank && rank <= x.rank() && x[1].Is(constant->dim(channel_axis)) &&
         constant->num_elements() == constant->dim(channel_axis);
}

struct Groups {
  ValueId x;
  int64_t count;
  float epsilon;
};

// `value` is x, reshaped to [N, groups, rest], normalized by instance, reshaped back.
std::optional<Groups> MatchGroups(const Graph& graph, const Matcher& matcher, ValueId value) {
  const Node* back = matcher.Producer(value, "Reshape");
  const Node* norm = back ? matcher.Producer(back->inputs[0], "InstanceNormalization") : nullptr;
  const Node* apart = norm ? matcher.Producer(norm->inputs[0], "Reshape") : nullptr;
  if (apart == nullptr || !IsAll(graph, norm->inputs[1], 1) || !IsAll(graph, norm->inputs[2], 0)) {
    return std::nullopt;
  }
  const SymbolicShape& x = graph.value(apart->inputs[0]).type.shape;
  const SymbolicShape& grouped = graph.value(apart->outputs[0]).type.shape;
  if (x.rank() < 3 || grouped.rank() != 3 || !grouped[1].known() || grouped[1].value < 1 ||
      !grouped[0].SameAs(x[0]) || !x[1].known() || x[1].value % grouped[1].value != 0 ||
      !graph.value(value).type.shape.SameAs(x)) {
    return std::nullopt;
  }
  return Groups{apart->inputs[0], grouped[1].value, norm->attributes.Float("epsilon", 1e-5f)};
}

// Input `i` of a two-input node with the other as a constant per channel.
std::optional<int> ChannelOperand(const Graph& graph, const Node& node, const SymbolicShape& x) {
  for (int i = 0; i < 2; ++i) {
    if (IsPerChannel(graph, node.inputs[i], x)) return i;
  }
  return std::nullopt;
}

absl::StatusOr<Tensor> AsVector(const Tensor& constant) {
  ASSIGN_OR_RETURN(Tensor vector,
                   Tensor::Allocate(DType::kFloat32, Shape({constant.num_elements()})));
  const auto values = constant.values<float>();
  std::copy(values.begin(), values.end(), vector.mutable_data<float>());
  return vector;
}

}  // namespace

absl::StatusOr<int> FuseGroupNormalization(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  const OpDef& group_norm = OpRegistry::Builtin().Get("", "GroupNormalization");
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& root = graph.node(id);
    if (root.removed) continue;
    const Node* add = root.outputs.empty() ? nullptr : editor.Producer(root.outputs[0], "Add");
    if (add == nullptr || !graph.value(add->outputs[0]).type.is_tensor()) continue;
    const SymbolicShape& shape = graph.value(add->outputs[0]).type.shape;
    const auto bias = shape.rank() < 3 ? std::nullopt : ChannelOperand(graph, *add, shape);
    const Node* mul = bias ? editor.Producer(add->inputs[1 - *bias], "Mul") : nullptr;
    const auto scale = mul ? ChannelOperand(graph, *mul, shape) : std::nullopt;
    const auto groups = scale ? MatchGroups(graph, editor, mul->inputs[1 - *scale]) : std::nullopt;
    if (!groups || !graph.value(groups->x).type.shape.SameAs(shape)) continue;
    ASSIGN_OR_RETURN(Tensor scales, AsVector(*graph.constant(mul->inputs[*scale])));
    ASSIGN_OR_RETURN(Tensor biases, AsVector(*graph.constant(add->inputs[*bias])));
    Node fused;
    fused.name = root.name;
    fused.op = &group_norm;
    fused.inputs = {groups->x, editor.AddConstant(std::move(scales)),
                    editor.AddConstant(std::move(biases))};
    fused.attributes.Set("num_groups", groups->count);
    fused.attributes.Set("epsilon", groups->epsilon);
    context.Count("GroupNormalization");
    editor.Replace(id, std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
