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

}  // namespace inferd
