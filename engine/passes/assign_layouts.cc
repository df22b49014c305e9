#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/kept_bytes.h"
#include "engine/passes/passes.h"
#include "engine/providers/providers.h"

namespace inferd {
namespace {

// How far ahead of a value its readers are asked.
constexpr int kMostNodesAhead = 32;

// Walks a bound graph in order, gives each node the memory order it prefers and converts what it
// reads. With `carries`, an order goes through a view or Transpose that then leaves every byte
// where it is, if that is of use behind it. Used by one thread at a time.
class LayoutAssigner {
 public:
  LayoutAssigner(Graph& graph, const PassContext& context, bool carries)
      : graph_(graph), context_(context), carries_(carries) {}

  int Run() {
    if (carries_) readers_ = graph_.Consumers();
    origins_.assign(graph_.num_values(), Origin::kPlanned);
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (graph_.node(id).removed) continue;
      NoteOrigin(id);
      if (!carries_ || !Carry(id)) Assign(id);
    }
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      graph_.SetOutput(static_cast<int>(i), Converted(graph_.outputs()[i], Layout::kRowMajor, -1));
    }
    return changes_;
  }

  // What the nodes read and write that were parts of Transposes, which read and wrote as much.
  int64_t bytes_split() const { return bytes_split_; }

 private:
  // Views of constants are constants. What a running graph makes of sizes unknown before comes from
  // kernels that know of no layouts.
  enum class Origin : uint8_t { kPlanned, kConstant, kRunning };

  Origin OriginOf(const Node& node) const {
    bool constant = true;
    bool running = node.op->op_class == OpClass::kControlFlow || !IsConcrete(node.inputs) ||
                   !IsConcrete(node.outputs);
    for (const ValueId input : node.inputs) {
      if (input == kNoValue || graph_.constant(input) != nullptr) continue;
      constant = constant && origins_[input] == Origin::kConstant;
      running = running || origins_[input] == Origin::kRunning;
    }
    return running ? Origin::kRunning : constant ? Origin::kConstant : Origin::kPlanned;
  }

  void NoteOrigin(NodeId id) {
    const Origin origin = OriginOf(graph_.node(id));
    for (const ValueId output : graph_.node(id).outputs) {
      if (output != kNoValue) origins_[output] = origin;
    }
  }

  bool IsConcrete(const std::vector<ValueId>& ids) const {
    return std::all_of(ids.begin(), ids.end(), [this](ValueId id) {
      return id == kNoValue ||
             (graph_.value(id).type.is_tensor() && graph_.value(id).type.shape.IsConcrete());
    });
  }

  LayoutPreference PreferenceOf(const Node& node) const {
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

  // The rank of what the node makes; -1 where that is no tensor.
  int RankOf(const Node& node) const {
    const ValueId first = node.outputs.empty() ? kNoValue : node.outputs[0];
    return first == kNoValue || !graph_.value(first).type.is_tensor() ? -1 : RankOf(first);
  }

  void Assign(NodeId id) {
    const Node& node = graph_.node(id);
    const LayoutPreference preference =
        OriginOf(node) == Origin::kRunning ? LayoutPreference::kRowMajor : PreferenceOf(node);
    const int rank = RankOf(node);
    Layout layout = Layout::kRowMajor;
    if (rank >= 3 && preference == LayoutPreference::kChannelsLast) layout = Layout::kChannelsLast;
    if (rank >= 3 && preference == LayoutPreference::kAny) {
      layout = MajorityLayout(node, rank);
    }
    SetLayout(id, layout);
  }

  void SetLayout(NodeId id, Layout layout) {
    const int rank = RankOf(graph_.node(id));
    for (size_t i = 0; i < graph_.node(id).inputs.size(); ++i) {
      const ValueId input = graph_.node(id).inputs[i];
      if (input == kNoValue) continue;
      const bool follows = FollowsLayout(graph_.node(id), i, rank);
      const ValueId converted =
          Converted(input, follows ? layout : Layout::kRowMajor, graph_.node(id).device_provider);
      graph_.node(id).inputs[i] = converted;
    }
    for (ValueId output : graph_.node(id).outputs) {
      if (output != kNoValue && rank >= 3 && RankOf(output) == rank) {
        graph_.value(output).layout = layout;
      }
    }
  }

  // A view or Transpose that need not move anything takes what it reads as it lies. False: it moves
  // something, or nobody gains by its result in the order that it would have.
  bool Carry(NodeId id) {
    const Node& node = graph_.node(id);
    if (!MayCarry(node)) return false;
    const ValueId input = node.inputs[0];
    const ValueId output = node.outputs[0];
    std::vector<ValueId> sources = {input};
    for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
      const auto converted = converted_.find({input, layout});
      if (converted != converted_.end()) sources.push_back(converted->second);
    }
    for (const ValueId source : sources) {
      for (const Layout layout : {Layout::kRowMajor, Layout::kChannelsLast}) {
        if (!KeepsBytes(graph_, node, graph_.value(source).layout, layout) ||
            (layout == Layout::kChannelsLast && !GainsByChannelsLast(output, kMostNodesAhead))) {
          continue;
        }
        if (!node.epilogue.empty() && !SplitEpilogue(id, layout)) return false;
        graph_.node(id).inputs[0] = source;
        graph_.value(graph_.node(id).outputs[0]).layout = layout;
        ++changes_;
        return true;
      }
    }
    return false;
  }

  bool MayCarry(const Node& node) const {
    const bool transpose = node.op->domain.empty() && node.op->name == "Transpose";
    return (transpose || (node.op->op_class == OpClass::kView && node.epilogue.empty())) &&
           !node.inputs.empty() && node.inputs[0] != kNoValue && node.outputs.size() == 1 &&
           IsConcrete(node.inputs) && IsConcrete(node.outputs) &&
           origins_[node.outputs[0]] == Origin::kPlanned &&
           graph_.constant(node.inputs[0]) == nullptr;
  }

  // Whether a reader wants the value channels-last, or rows that it then holds as they are.
  bool GainsByChannelsLast(ValueId value, int ahead) {
    if (ahead == 0 || RankOf(value) < 3) return false;
    const auto [entry, added] = gains_.try_emplace(value, false);
    if (!added) return entry->second;
    const std::vector<NodeId>& readers = readers_[value];
    const bool gains = std::any_of(readers.begin(), readers.end(), [&](NodeId reader) {
      return ReaderGains(graph_.node(reader), value, ahead - 1);
    });
    return gains_[value] = gains;
  }

  bool ReaderGains(const Node& reader, ValueId value, int ahead) {
    if (MayCarry(reader)) {
      return (KeepsBytes(graph_, reader, Layout::kChannelsLast, Layout::kRowMajor) &&
              !KeepsBytes(graph_, reader, Layout::kRowMajor, Layout::kRowMajor)) ||
             (KeepsBytes(graph_, reader, Layout::kChannelsLast, Layout::kChannelsLast) &&
              GainsByChannelsLast(reader.outputs[0], ahead));
    }
    const LayoutPreference preference = PreferenceOf(reader);
    if (preference == LayoutPreference::kRowMajor || RankOf(reader) != RankOf(value)) return false;
    return preference == LayoutPreference::kChannelsLast ||
           HasOneOrder(graph_.value(reader.outputs[0]).type.shape.ToShape()) ||
           GainsByChannelsLast(reader.outputs[0], ahead);
  }

  // The epilogue of a Transpose that takes no step becomes a node of its own, in the order that the
  // result of the Transpose will have. False where nobody runs that.
  bool SplitEpilogue(NodeId id, Layout layout) {
    const Node& node = graph_.node(id);
    const EpilogueStep& first = node.epilogue.front();
    if (first.op->name == "Clip") return false;  // has its bounds elsewhere as a node
    const ValueId output = node.outputs[0];
    Node rest;
    rest.name = node.name + "/" + std::string(first.op->name);
    rest.op = first.op;
    rest.attributes = first.attributes;
    rest.inputs = {output};
    if (first.operand >= 0) {
      rest.inputs.insert(first.operand_first ? rest.inputs.begin() : rest.inputs.end(),
                         node.inputs[first.operand]);
    }
    rest.epilogue.assign(node.epilogue.begin() + 1, node.epilogue.end());
    for (EpilogueStep& step : rest.epilogue) {
      if (step.operand < 0) continue;
      if (rest.first_epilogue_input < 0) {
        rest.first_epilogue_input = static_cast<int>(rest.inputs.size());
      }
      rest.inputs.push_back(node.inputs[step.operand]);
      step.operand = static_cast<int>(rest.inputs.size()) - 1;
    }
    rest.outputs = {output};
    rest.device_provider = node.device_provider;
    if (PreferenceOf(rest) != LayoutPreference::kAny) return false;
    const ValueId between = graph_.AddValue("", graph_.value(output).type);
    std::replace(rest.inputs.begin(), rest.inputs.end(), output, between);
    Node& transpose = graph_.node(id);
    transpose.inputs.resize(transpose.num_op_inputs());
    transpose.first_epilogue_input = -1;
    transpose.epilogue.clear();
    transpose.outputs = {between};
    graph_.value(between).producer = id;
    graph_.value(between).layout = layout;
    bytes_split_ += BytesOf(graph_, output);
    SetLayout(graph_.AddNode(std::move(rest)), layout);
    return true;
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
    ++changes_;
    return entry->second = result;
  }

  Graph& graph_;
  const PassContext& context_;
  const bool carries_;
  std::vector<std::vector<NodeId>> readers_;  // of the values there were at first
  std::vector<Origin> origins_;               // the same
  std::map<ValueId, bool> gains_;
  std::map<std::pair<ValueId, Layout>, ValueId> converted_;
  int64_t bytes_split_ = 0;
  int changes_ = 0;  // Reorders, and nodes that carry an order
};

}  // namespace

absl::StatusOr<int> AssignLayouts(Graph& graph, const PassContext& context) {
  Graph carried = graph;
  const int changes = LayoutAssigner(graph, context, false).Run();
  const int64_t bytes = BytesMoved(graph);
  if (bytes == 0) return changes;
  LayoutAssigner assigner(carried, context, true);
  const int changes_carried = assigner.Run();
  if (BytesMoved(carried) + assigner.bytes_split() >= bytes) return changes;
  graph = std::move(carried);
  return changes_carried;
}

}  // namespace inferd
