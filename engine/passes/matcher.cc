#include "engine/passes/matcher.h"

#include <algorithm>
#include <cmath>

#include "engine/graph/op_def.h"

namespace inferd {

const Node* Matcher::Producer(ValueId value, absl::string_view op) const {
  if (value == kNoValue) return nullptr;
  const NodeId id = graph_.value(value).producer;
  if (id == kNoNode) return nullptr;
  const Node& node = graph_.node(id);
  const bool matches = !node.removed && node.op->domain.empty() && node.op->name == op &&
                       node.epilogue.empty() && node.outputs[0] == value;
  return matches ? &node : nullptr;
}

int Matcher::Uses(ValueId value) const {
  return static_cast<int>(consumers_[value].size()) + (graph_.IsGraphOutput(value) ? 1 : 0);
}

std::optional<double> Matcher::Scalar(ValueId value) const {
  const Tensor* constant = graph_.constant(value);
  if (constant == nullptr || constant->kind() != ValueKind::kTensor ||
      constant->num_elements() != 1) {
    return std::nullopt;
  }
  std::optional<double> scalar;
  (void)DispatchNumeric(constant->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    scalar = static_cast<double>(constant->data<T>()[0]);
    return absl::OkStatus();
  });
  return scalar;
}

bool Matcher::IsScalar(ValueId value, double expected, double tolerance) const {
  const std::optional<double> scalar = Scalar(value);
  return scalar && std::abs(*scalar - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

std::optional<ValueId> Matcher::OtherThanScalar(const Node& node, double expected) const {
  if (node.inputs.size() != 2) return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    if (IsScalar(node.inputs[i], expected)) return node.inputs[1 - i];
  }
  return std::nullopt;
}

std::optional<Matcher::ScaledValue> Matcher::Scaled(const Node& node) const {
  const bool divides = node.op->name == "Div";
  if ((node.op->name != "Mul" && !divides) || !node.op->domain.empty() || !node.epilogue.empty()) {
    return std::nullopt;
  }
  for (int i = divides ? 1 : 0; i < 2; ++i) {
    const ValueId other = node.inputs[1 - i];
    const std::optional<double> scalar = Scalar(node.inputs[i]);
    if (!scalar || graph_.constant(other) != nullptr) continue;
    return ScaledValue{other, divides ? 1 / *scalar : *scalar};
  }
  return std::nullopt;
}

NodeId GraphEditor::Replace(NodeId old, Node replacement) {
  replacement.outputs = edited_.node(old).outputs;
  edited_.RemoveNode(old);
  const NodeId id = edited_.AddNode(std::move(replacement));
  GrowConsumers();
  AddReads(id);  // before those of `old` go: what both read must stay
  DropReads(old);
  return id;
}

ValueId GraphEditor::Add(Node node, ValueType type) {
  const ValueId output = edited_.AddValue("", std::move(type));
  node.outputs = {output};
  const NodeId id = edited_.AddNode(std::move(node));
  GrowConsumers();
  AddReads(id);
  return output;
}

ValueId GraphEditor::AddConstant(Tensor constant) {
  const ValueId id = edited_.AddConstant("", std::move(constant));
  GrowConsumers();
  return id;
}

void GraphEditor::ReplaceUses(ValueId from, ValueId to) {
  if (from == to) return;
  for (NodeId reader : consumers_[from]) {
    std::vector<ValueId>& inputs = edited_.node(reader).inputs;
    std::replace(inputs.begin(), inputs.end(), from, to);
    consumers_[to].push_back(reader);
  }
  consumers_[from].clear();
  for (size_t i = 0; i < edited_.outputs().size(); ++i) {
    if (edited_.outputs()[i] == from) edited_.SetOutput(static_cast<int>(i), to);
  }
  if (const NodeId producer = ProducerId(from); producer != kNoNode) RemoveIfUnread(producer);
}

void GraphEditor::SetInput(NodeId node, int input, ValueId value) {
  const ValueId old = edited_.node(node).inputs[input];
  if (old == value) return;
  edited_.node(node).inputs[input] = value;
  consumers_[value].push_back(node);
  if (old == kNoValue) return;
  std::vector<NodeId>& readers = consumers_[old];
  readers.erase(std::find(readers.begin(), readers.end(), node));
  if (const NodeId producer = ProducerId(old); producer != kNoNode) RemoveIfUnread(producer);
}

void GraphEditor::RemoveIfUnread(NodeId node) {
  std::vector<NodeId> pending = {node};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    const Node& unread = edited_.node(id);
    const bool read = std::any_of(unread.outputs.begin(), unread.outputs.end(),
                                  [&](ValueId v) { return v != kNoValue && Uses(v) > 0; });
    if (unread.removed || read) continue;
    edited_.RemoveNode(id);
    for (ValueId input : unread.inputs) {
      if (input == kNoValue) continue;
      std::vector<NodeId>& readers = consumers_[input];
      readers.erase(std::find(readers.begin(), readers.end(), id));
      if (const NodeId producer = ProducerId(input); producer != kNoNode) {
        pending.push_back(producer);
      }
    }
  }
}

void GraphEditor::AddReads(NodeId node) {
  for (ValueId input : edited_.node(node).inputs) {
    if (input != kNoValue) consumers_[input].push_back(node);
  }
}

void GraphEditor::DropReads(NodeId node) {
  for (ValueId input : edited_.node(node).inputs) {
    if (input == kNoValue) continue;
    std::vector<NodeId>& readers = consumers_[input];
    readers.erase(std::find(readers.begin(), readers.end(), node));
    if (const NodeId producer = ProducerId(input); producer != kNoNode) RemoveIfUnread(producer);
  }
}

}  // namespace inferd
