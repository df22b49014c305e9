#include <algorithm>
#include <map>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/passes.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// Walks a bound graph in order, gives each node the memory order it prefers and converts what it
// reads. Used by one thread at a time.
class LayoutAssigner {
 public:
  LayoutAssigner(Graph& graph, const PassContext& context) : graph_(graph), context_(context) {}

  int Run() {
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (!graph_.node(id).removed) Assign(id);
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      graph_.SetOutput(static_cast<int>(i), Converted(graph_.outputs()[i], Layout::kRowMajor, -1));
    }
    return reorders_;
  }

 private:
  bool IsConcrete(const std::vector<ValueId>& ids) const {
    return std::all_of(ids.begin(), ids.end(), [this](ValueId id) {
      return id == kNoValue ||
             (graph_.value(id).type.is_tensor() && graph_.value(id).type.shape.IsConcrete());
    });
  }

  LayoutPreference PreferenceOf(const Node& node) const {
    // Such a node becomes a dynamic step, which the portable kernel runs.
    if (!IsConcrete(node.inputs) || !IsConcrete(node.outputs)) return LayoutPreference::kRowMajor;
    const ExecutionProvider* provider = ProviderOf(context_.providers, graph_, node);
    return provider == nullptr ? LayoutPreference::kRowMajor : provider->Layouts(graph_, node);
  }

  int RankOf(ValueId value) const { return graph_.value(value).type.shape.rank(); }

  // Whether a node of rank `rank` reads this input in the node's own memory order.
  bool FollowsLayout(const Node& node, size_t input, int rank) const {
    const ValueId value = node.inputs[input];
    if (value == kNoValue || !graph_.value(value).type.is_tensor() || RankOf(value) != rank) {
      return false;
    }
    // Kernels read constant operands (weights, scales) in the order they are stored.
    return graph_.constant(value) == nullptr || node.op->name == "Concat";
  }

  // kAny: channels-last when that is what most of the elements it reads are.
  Layout MajorityLayout(const Node& node, int rank) const {
    int64_t channels_last = 0;
    int64_t row_major = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!FollowsLayout(node, i, rank)) continue;
      const Value& value = graph_.value(node.inputs[i]);
      const int64_t elements = value.type.shape.ToShape().num_elements();
      (value.layout == Layout::kChannelsLast ? channels_last : row_major) += elements;
    }
    return channels_last > 0 && channels_last >= row_major ? Layout::kChannelsLast
                                                           : Layout::kRowMajor;
  }

  void Assign(NodeId id) {
    const LayoutPreference preference = PreferenceOf(graph_.node(id));
    const ValueId first = graph_.node(id).outputs.empty() ? kNoValue : graph_.node(id).outputs[0];
    const int rank =
        first == kNoValue || !graph_.value(first).type.is_tensor() ? -1 : RankOf(first);
    Layout layout = Layout::kRowMajor;
    if (rank >= 3 && preference == LayoutPreference::kChannelsLast) layout = Layout::kChannelsLast;
    if (rank >= 3 && preference == LayoutPreference::kAny) {
      layout = MajorityLayout(graph_.node(id), rank);
    }
    for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) {
      const ValueId input = graph_.node(id).inputs[i];
      if (input == kNoValue) continue;
      const bool follows = FollowsLayout(graph_.node(id), i, rank);
      if (layout == Layout::kRowMajor || follows) {
        const ValueId converted = Converted(input, layout, graph_.node(id).device_provider);
        graph_.node(id).inputs[i] = converted;
      }
    }
    for (ValueId output : graph_.node(id).outputs) {
      if (output != kNoValue && rank >= 3 && RankOf(output) == rank) {
        graph_.value(output).layout = layout;
      }
    }
  }

  // The value in that order: itself, or the output of a Reorder made once, on the device where the
  // value is made or, if on none, on the one that reads it.
  ValueId Converted(ValueId value, Layout layout, int reader_device) {
    if (graph_.value(value).layout == layout || RankOf(value) < 3) return value;
    auto [entry, added] = converted_.try_emplace({value, layout}, kNoValue);
    if (!added) return entry->second;
    const ValueId result = graph_.AddValue("", graph_.value(value).type);
    graph_.value(result).layout = layout;
    Node reorder;
    reorder.name = graph_.value(value).name + "/reorder";
    reorder.op = &OpRegistry::Builtin().Get("inferd", "Reorder");
    reorder.inputs = {value};
    reorder.outputs = {result};
    const NodeId producer = graph_.value(value).producer;
    const int made_on = producer == kNoNode ? -1 : graph_.node(producer).device_provider;
    const int device = made_on >= 0 ? made_on : reader_device;
    if (device >= 0 && context_.providers[device]->Supports(graph_, reorder)) {
      reorder.device_provider = device;
    }
    graph_.AddNode(std::move(reorder));
    ++reorders_;
    return entry->second = result;
  }

  Graph& graph_;
  const PassContext& context_;
  std::map<std::pair<ValueId, Layout>, ValueId> converted_;
  int reorders_ = 0;
};

}  // namespace

absl::StatusOr<int> AssignLayouts(Graph& graph, const PassContext& context) {
  return LayoutAssigner(graph, context).Run();
}

}  // namespace inferd
