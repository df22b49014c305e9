#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace inferd {

// Questions that passes ask of a graph. Holds the consumers of the graph as it was when built; only
// edits through a GraphEditor keep them true. Used by one thread at a time.
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

 protected:
  const Graph& graph_;
  std::vector<std::vector<NodeId>> consumers_;
};

// A matcher whose edits keep its answers true, so that a pass builds it once: each edit costs what
// it touches, not the size of the graph. Nodes that an edit leaves unread are removed with it.
// Node references do not outlive an edit. Used by one thread at a time.
class GraphEditor : public Matcher {
 public:
  explicit GraphEditor(Graph& graph) : Matcher(graph), edited_(graph) {}

  // Puts `replacement`, whose outputs are set here to those of `old`, in its place. Returns its id.
  NodeId Replace(NodeId old, Node replacement);
  // The only output of a new node, of type `type`.
  ValueId Add(Node node, ValueType type);
  ValueId AddConstant(Tensor constant);
  // Every use of `from`, as node input or graph output, becomes `to`.
  void ReplaceUses(ValueId from, ValueId to);
  void SetInput(NodeId node, int input, ValueId value);
  // Removes the node when none of its outputs is read, and then what only it read.
  void RemoveIfUnread(NodeId node);

 private:
  void AddReads(NodeId node);
  void DropReads(NodeId node);
  void GrowConsumers() { consumers_.resize(edited_.num_values()); }

  Graph& edited_;
};

}  // namespace inferd
