#include <utility>

#include "engine/graph/op_def.h"
#include "engine/ops/conv_activation.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/passes/pointwise_conv.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// Smaller values stay in a core's second cache as they are, and shorter rows make slow products.
constexpr int64_t kLeastBytes = 1 << 20;
constexpr int64_t kLeastWidth = 56;

// Joins pointwise convolutions with what reads them in one bound graph. Used by one thread at a
// time.
class ExpansionFuser {
 public:
  ExpansionFuser(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), matcher_(graph) {}

  int Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (ReadsExpansion(graph_.node(id)) && Replace(id)) ++changes;
    }
    return changes;
  }

 private:
  static bool HasInput(const Node& node, int i) {
    return i < node.num_op_inputs() && node.inputs[i] != kNoValue;
  }

  // A grouped convolution of a large value that it alone reads.
  bool ReadsExpansion(const Node& node) const {
    const bool pools = node.op->domain == "inferd" && node.op->name == "PooledConv";
    const bool conv = node.op->domain.empty() && node.op->name == "Conv";
    if (node.removed || !(pools || conv) || node.attributes.Int("group", 1) == 1 ||
        !IsFloatImage(graph_, node.inputs[0]) || matcher_.Uses(node.inputs[0]) != 1) {
      return false;
    }
    const Shape shape = graph_.value(node.inputs[0]).type.shape.ToShape();
    return shape.num_elements() * ElementBytes(DType::kFloat32) >= kLeastBytes &&
           shape[3] >= kLeastWidth;
  }

  bool Replace(NodeId id) {
    const Node& conv = graph_.node(id);
    const NodeId maker = graph_.value(conv.inputs[0]).producer;
    if (maker == kNoNode || !IsPointwiseConv(graph_, graph_.node(maker))) return false;
    const Node& expansion = graph_.node(maker);
    if (conv.device_provider >= 0 || expansion.device_provider >= 0) return false;
    const auto expand = ConvActivation::OfEpilogue(expansion);
    const auto activate = ConvActivation::OfEpilogue(conv);
    if (!expand || !activate) return false;
    Node fused;
    fused.name = conv.name;
    fused.op = &OpRegistry::Builtin().Get("inferd", "ExpandedConv");
    fused.attributes = conv.attributes;
    expand->WriteTo(&fused.attributes, "expand_");
    activate->WriteTo(&fused.attributes);  // a PooledConv has its own already
    fused.inputs = {expansion.inputs[0], expansion.inputs[1],
                    HasInput(expansion, 2) ? expansion.inputs[2] : kNoValue, conv.inputs[1]};
    if (HasInput(conv, 2)) fused.inputs.push_back(conv.inputs[2]);
    fused.outputs = conv.outputs;
    if (ProviderOf(context_.providers, graph_, fused) == nullptr) return false;
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

absl::StatusOr<int> FuseExpansions(Graph& graph, const PassContext& context) {
  return ExpansionFuser(graph, context).Run();
}

}  // namespace inferd
