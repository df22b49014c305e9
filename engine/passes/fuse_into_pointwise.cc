#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/passes/pointwise_conv.h"

namespace inferd {
namespace {

// What a pointwise convolution reads, as inferd.JoinedConv has it.
struct JoinedInput {
  std::vector<ValueId> parts;
  ValueId scale = kNoValue;
  ValueId shift = kNoValue;
  bool relu = false;
};

// Finds such inputs in one bound graph. Used by one thread at a time.
class PointwiseFuser {
 public:
  PointwiseFuser(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), matcher_(graph) {}

  int Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      const Node& node = graph_.node(id);
      if (!IsPointwiseConv(graph_, node) || matcher_.Uses(node.inputs[0]) != 1) continue;
      const NodeId maker = graph_.value(node.inputs[0]).producer;
      if (maker == kNoNode || graph_.node(maker).removed) continue;
      const std::optional<JoinedInput> input = OfNormalizedConcat(graph_.node(maker));
      if (input && Replace(id, maker, *input)) ++changes;
    }
    return changes;
  }

 private:
  Shape ShapeOf(ValueId value) const { return graph_.value(value).type.shape.ToShape(); }

  // Joined channels with a factor and an addend each, maybe cut off at zero.
  std::optional<JoinedInput> OfNormalizedConcat(const Node& node) const {
    if (!node.op->domain.empty() || node.op->name != "Concat" || node.epilogue.size() < 2 ||
        node.epilogue.size() > 3 || node.attributes.Int("axis", 0) != 1) {
      return std::nullopt;
    }
    JoinedInput input;
    input.parts.assign(node.inputs.begin(), node.inputs.begin() + node.num_op_inputs());
    for (const ValueId part : input.parts) {
      if (!IsFloatImage(graph_, part)) return std::nullopt;
    }
    const auto operand = [&](int step, absl::string_view op) {
      const EpilogueStep& epilogue = node.epilogue[step];
      return epilogue.op->name == op && epilogue.operand >= 0 ? node.inputs[epilogue.operand]
                                                              : kNoValue;
    };
    input.scale = operand(0, "Mul");
    input.shift = operand(1, "Add");
    input.relu = node.epilogue.size() == 3;
    const int64_t channels = ShapeOf(node.outputs[0])[1];
    const bool fits = HoldsChannels(input.scale, channels) &&
                      HoldsChannels(input.shift, channels) &&
                      (!input.relu || node.epilogue[2].op->name == "Relu");
    return fits ? std::optional(std::move(input)) : std::nullopt;
  }

  bool HoldsChannels(ValueId value, int64_t channels) const {
    const Tensor* constant = graph_.constant(value);
    return constant != nullptr && constant->dtype() == DType::kFloat32 &&
           constant->num_elements() == channels && constant->rank() >= 3 &&
           constant->dim(constant->rank() - 3) == channels;
  }

  bool Replace(NodeId id, NodeId maker, const JoinedInput& input) {
    const Node& conv = graph_.node(id);
    Node fused;
    fused.name = conv.name;
    fused.op = &OpRegistry::Builtin().Get("inferd", "JoinedConv");
    const bool has_bias = conv.num_op_inputs() > 2;
    fused.inputs = {conv.inputs[1], has_bias ? conv.inputs[2] : kNoValue, input.scale, input.shift};
    fused.inputs.insert(fused.inputs.end(), input.parts.begin(), input.parts.end());
    if (input.relu) fused.attributes.Set("low", 0.0f);
    fused.outputs = conv.outputs;
    fused.epilogue = conv.epilogue;
    if (conv.first_epilogue_input >= 0) {
      fused.first_epilogue_input = static_cast<int>(fused.inputs.size());
      for (EpilogueStep& step : fused.epilogue) {
        if (step.operand >= 0) step.operand += fused.first_epilogue_input - conv.num_op_inputs();
      }
      fused.inputs.insert(fused.inputs.end(), conv.inputs.begin() + conv.num_op_inputs(),
                          conv.inputs.end());
    }
    if (!context_.Accelerated(graph_, fused, conv)) return false;
    context_.Count(graph_.node(maker).op->name);
    graph_.RemoveNode(id);
    graph_.RemoveNode(maker);
    graph_.AddNode(std::move(fused));
    return true;
  }

  Graph& graph_;
  const PassContext& context_;
  const Matcher matcher_;
};

}  // namespace

absl::StatusOr<int> FuseIntoPointwise(Graph& graph, const PassContext& context) {
  return PointwiseFuser(graph, context).Run();
}

}  // namespace inferd
