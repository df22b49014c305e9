#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace inferd {

// Questions that passes ask of a graph. Holds the consumers of the graph as it was when built;
// edits through ReplaceNodes keep that valid for values not touched. Used by one thread at a time.
class Matcher {
 public:
  explicit Matcher(const Graph& graph) : graph_(graph), consumers_(graph.Consumers()) {}

  // The ai.onnx node of that name without an epilogue that makes `value`, else null.
  const Node* Producer(ValueId value, absl::string_view op) const;
  NodeId ProducerId(ValueId value) const { return graph_.value(value).producer; }
  // How often nodes read the value; a graph output counts as one more.
  int Uses(ValueId value) const;
  const std::vector<NodeId>& Readers(ValueId value) const { return consumers_[value]; }
  // A constant of one element, of any float or integer type.
  std::optional<double> Scalar(ValueId value) const;
  bool IsScalar(ValueId value, double expected, double tolerance = 1e-3) const;
  // The other operand of a two-input node when one operand is a scalar constant near `expected`.
  std::optional<ValueId> OtherThanScalar(const Node& node, double expected) const;
  // What a Mul or Div of a value that is no constant with a scalar constant makes of it.
  struct ScaledValue {
    ValueId value;
    double factor;
  };
  std::optional<ScaledValue> Scaled(const Node& node) const;

 private:
  const Graph& graph_;
  std::vector<std::vector<NodeId>> consumers_;
};

}  // namespace inferd
