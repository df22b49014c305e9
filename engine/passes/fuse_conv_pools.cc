#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/conv_activation.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// Whether the node takes the mean over all of an image's pixels, the axes kept.
bool IsGlobalMean(const Graph& graph, const Node& node) {
  if (node.removed || !node.op->domain.empty() || !node.epilogue.empty() ||
      node.outputs.size() != 1) {
    return false;
  }
  if (node.op->name == "GlobalAveragePool") return true;
  if (node.op->name != "ReduceMean" || node.attributes.Int("keepdims", 1) == 0 ||
      node.inputs.size() < 2) {
    return false;
  }
  const Tensor* axes = graph.constant(node.inputs[1]);
  const int rank = graph.value(node.inputs[0]).type.shape.rank();
  if (axes == nullptr || rank != 4 || axes->num_elements() != 2) return false;
  auto values = axes->ToInt64s();
  if (!values.ok()) return false;
  for (int64_t& axis : *values) axis += axis < 0 ? rank : 0;
  std::sort(values->begin(), values->end());
  return (*values)[0] == 2 && (*values)[1] == 3;
}

// The Conv with its activation as inferd.PooledConv has them; nullopt where it has more.
std::optional<Node> PooledConvOf(const Node& conv) {
  if (!conv.op->domain.empty() || conv.op->name != "Conv" || conv.outputs.size() != 1) {
    return std::nullopt;
  }
  const auto activation = ConvActivation::OfEpilogue(conv);
  if (!activation) return std::nullopt;
  Node pooled = conv;
  pooled.op = &OpRegistry::Builtin().Get("inferd", "PooledConv");
  pooled.epilogue.clear();
  activation->WriteTo(&pooled.attributes);
  return pooled;
}

}  // namespace

absl::StatusOr<int> FuseConvPools(Graph& graph, const PassContext& context) {
  int changes = 0;
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    if (!IsGlobalMean(graph, graph.node(id))) continue;
    const NodeId maker = graph.value(graph.node(id).inputs[0]).producer;
    if (maker == kNoNode || graph.node(maker).removed) continue;
    if (graph.node(id).device_provider >= 0 || graph.node(maker).device_provider >= 0) continue;
    std::optional<Node> pooled = PooledConvOf(graph.node(maker));
    if (!pooled) continue;
    pooled->outputs.push_back(graph.node(id).outputs[0]);
    if (ProviderOf(context.providers, graph, *pooled) == nullptr) continue;
    graph.RemoveNode(id);
    graph.RemoveNode(maker);
    graph.AddNode(*std::move(pooled));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
