#include "engine/graph/graph.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

std::string NodeLabel(const Graph& graph, const Node& node) {
  if (!node.name.empty()) return node.name;
  for (ValueId output : node.outputs) {
    if (output != kNoValue) return absl::StrCat("producer of ", graph.value(output).name);
  }
  return "unnamed";
}

}  // namespace

ValueId Graph::AddValue(absl::string_view name, ValueType type) {
  const ValueId id = num_values();
  Value value;
  value.name = name.empty() ? absl::StrCat("_", id) : std::string(name);
  value.type = std::move(type);
  values_.push_back(std::move(value));
  return id;
}

ValueId Graph::AddInput(absl::string_view name, ValueType type) {
  const ValueId id = AddValue(name, std::move(type));
  inputs_.push_back(id);
  return id;
}

ValueId Graph::AddConstant(absl::string_view name, Tensor constant) {
  const ValueId id = AddValue(name);
  SetConstant(id, std::move(constant));
  return id;
}

void Graph::SetConstant(ValueId id, Tensor constant) {
  Value& value = values_[id];
  if (constant.kind() == ValueKind::kTensor) {
    value.type = ValueType::OfTensor(constant.dtype(), SymbolicShape(constant.shape()));
  }
  value.constant = std::move(constant);
  if (value.producer == kNoNode) return;
  Node& producer = nodes_[value.producer];
  for (ValueId& output : producer.outputs) {
    if (output == id) output = kNoValue;
  }
  value.producer = kNoNode;
  const bool unused = std::all_of(producer.outputs.begin(), producer.outputs.end(),
                                  [](ValueId output) { return output == kNoValue; });
  if (unused) producer.removed = true;
}

NodeId Graph::AddNode(Node node) {
  const NodeId id = num_nodes();
  for (ValueId output : node.outputs) {
    if (output != kNoValue) values_[output].producer = id;
  }
  nodes_.push_back(std::move(node));
  return id;
}

void Graph::RemoveNode(NodeId id) {
  nodes_[id].removed = true;
  for (ValueId output : nodes_[id].outputs) {
    if (output != kNoValue && values_[output].producer == id) values_[output].producer = kNoNode;
  }
}

void Graph::ReplaceUses(ValueId from, ValueId to) {
  for (Node& node : nodes_) {
    if (!node.removed) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  }
  std::replace(outputs_.begin(), outputs_.end(), from, to);
}

const std::string& Graph::output_name(int i) const {
  return i < static_cast<int>(output_names_.size()) ? output_names_[i] : values_[outputs_[i]].name;
}

bool Graph::IsGraphOutput(ValueId id) const {
  return std::find(outputs_.begin(), outputs_.end(), id) != outputs_.end();
}

std::vector<std::vector<NodeId>> Graph::Consumers() const {
  std::vector<std::vector<NodeId>> consumers(values_.size());
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (nodes_[id].removed) continue;
    for (ValueId input : nodes_[id].inputs) {
      if (input != kNoValue) consumers[input].push_back(id);
    }
  }
  return consumers;
}

absl::Status Graph::SortAndCompact() {
  // Kahn's algorithm, taking the ready node that comes first in the old order: a sorted graph stays
  // as it is, and what the exporter kept close together stays close.
  std::vector<int> missing(nodes_.size(), 0);
  std::vector<std::vector<NodeId>> waiting(values_.size());
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<NodeId>> ready;
  size_t live = 0;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (nodes_[id].removed) continue;
    ++live;
    for (ValueId input : nodes_[id].inputs) {
      if (input == kNoValue || values_[input].producer == kNoNode) continue;
      ++missing[id];
      waiting[input].push_back(id);
    }
    if (missing[id] == 0) ready.push(id);
  }
  std::vector<Node> sorted;
  sorted.reserve(live);
  std::vector<bool> done(nodes_.size(), false);
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    done[id] = true;
    for (ValueId output : nodes_[id].outputs) {
      if (output == kNoValue) continue;
      for (NodeId reader : waiting[output]) {
        if (--missing[reader] == 0) ready.push(reader);
      }
      values_[output].producer = static_cast<NodeId>(sorted.size());
    }
    sorted.push_back(std::move(nodes_[id]));
  }
  if (sorted.size() != live) {
    for (NodeId id = 0; id < num_nodes(); ++id) {
      if (nodes_[id].removed || done[id]) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("graph has a cycle through node ", NodeLabel(*this, nodes_[id])));
    }
  }
  nodes_ = std::move(sorted);
  return absl::OkStatus();
}

int Graph::RemoveDeadNodes() {
  // Consumers may come before producers in the list, so walk back from the outputs.
  std::vector<NodeId> pending;
  std::vector<bool> live(nodes_.size(), false);
  auto visit = [&](ValueId value) {
    const NodeId producer = values_[value].producer;
    if (producer != kNoNode && !live[producer]) {
      live[producer] = true;
      pending.push_back(producer);
    }
  };
  for (ValueId output : outputs_) visit(output);
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    for (ValueId input : nodes_[id].inputs) {
      if (input != kNoValue) visit(input);
    }
  }
  int removed = 0;
  for (NodeId id = 0; id < num_nodes(); ++id) {
    if (nodes_[id].removed || live[id]) continue;
    RemoveNode(id);
    ++removed;
  }
  ForgetUnusedConstants();
  return removed;
}

void Graph::ForgetUnusedConstants() {
  std::vector<bool> read(values_.size(), false);
  for (ValueId output : outputs_) read[output] = true;
  for (const Node& node : nodes_) {
    if (node.removed) continue;
    for (ValueId input : node.inputs) {
      if (input != kNoValue) read[input] = true;
    }
  }
  for (ValueId id = 0; id < num_values(); ++id) {
    if (!read[id]) values_[id].constant.reset();
  }
}

int32_t Graph::SymbolId(absl::string_view name) {
  auto it = std::find(symbols_.begin(), symbols_.end(), name);
  if (it != symbols_.end()) return static_cast<int32_t>(it - symbols_.begin());
  symbols_.emplace_back(name);
  return static_cast<int32_t>(symbols_.size()) - 1;
}

}  // namespace inferd
