#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/graph/attributes.h"
#include "engine/graph/value_type.h"

namespace inferd {

struct OpDef;
class Graph;

using ValueId = int32_t;
using NodeId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an absent optional input or output
inline constexpr NodeId kNoNode = -1;

// Something a node produces, the graph takes as input, or a constant.
struct Value {
  std::string name;
  ValueType type;
  NodeId producer = kNoNode;          // kNoNode for inputs and constants
  std::optional<Tensor> constant;     // set for initializers and folded values
  Layout layout = Layout::kRowMajor;  // chosen by the layout pass on bound graphs
};

// One elementwise operator applied in place to a node's first output after its kernel ran.
// Binary operators take their other operand from the node's own inputs.
struct EpilogueStep {
  const OpDef* op = nullptr;
  Attributes attributes;
  int operand = -1;            // index into Node::inputs, or -1 for unary operators
  bool operand_first = false;  // true: op(operand, x); false: op(x, operand)
};

// One operator application.
struct Node {
  std::string name;
  const OpDef* op = nullptr;
  std::vector<ValueId> inputs;   // kNoValue where an optional input is absent
  std::vector<ValueId> outputs;  // kNoValue where an optional output is not wanted
  Attributes attributes;
  std::map<std::string, std::shared_ptr<const Graph>, std::less<>> subgraphs;  // If, Loop, Scan
  // Control flow: how many of the last inputs are outer values the bodies capture; every body takes
  // them after its own inputs.
  int num_captured = 0;
  // Inputs from `first_epilogue_input` on belong to the epilogue, not to the operator.
  std::vector<EpilogueStep> epilogue;
  int first_epilogue_input = -1;  // -1 without epilogue operands
  // Which of the providers, if on its device; -1: in host memory. Set by the partition.
  int device_provider = -1;
  bool removed = false;

  // How many of `inputs` the operator itself takes.
  int num_op_inputs() const {
    return first_epilogue_input < 0 ? static_cast<int>(inputs.size()) : first_epilogue_input;
  }
};

// A model's operators and values by integer id; the only thing passes edit. Ids are stable: removed
// nodes stay in place with `removed` set until Compact(). Copying is cheap: constants are shared.
// Used by one thread at a time; concurrent reads are fine.
class Graph {
 public:
  std::string name;

  ValueId AddInput(absl::string_view name, ValueType type);
  // Takes a unique name when `name` is empty.
  ValueId AddConstant(absl::string_view name, Tensor constant);
  ValueId AddValue(absl::string_view name, ValueType type = ValueType());
  // Adds a node and makes it the producer of its outputs.
  NodeId AddNode(Node node);
  void MarkOutput(ValueId value) { outputs_.push_back(value); }

  // Marks the node removed and its outputs unproduced.
  void RemoveNode(NodeId node);
  // Every use of `from`, as node input or graph output, becomes `to`. A graph output keeps its name
  // (see output_name), whichever value feeds it.
  void ReplaceUses(ValueId from, ValueId to);
  // Puts the nodes in topological order (INVALID_ARGUMENT naming a node on a cycle), dropping the
  // removed ones and renumbering.
  absl::Status SortAndCompact();
  // Removes nodes none of whose outputs is used, and lets go of constants that nothing reads.
  // Returns how many nodes.
  int RemoveDeadNodes();
  // Makes `value` a constant: removes its producer if no other output of it is used.
  void SetConstant(ValueId value, Tensor constant);

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  // Output i's public name, fixed when the graph was imported.
  const std::string& output_name(int i) const;
  void SetOutputNames(std::vector<std::string> names) { output_names_ = std::move(names); }
  void SetOutput(int i, ValueId value) { outputs_[i] = value; }

  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  int num_values() const { return static_cast<int>(values_.size()); }
  Node& node(NodeId id) { return nodes_[id]; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  Value& value(ValueId id) { return values_[id]; }
  const Value& value(ValueId id) const { return values_[id]; }
  const Tensor* constant(ValueId id) const {
    return id != kNoValue && values_[id].constant ? &*values_[id].constant : nullptr;
  }
  bool IsGraphOutput(ValueId id) const;
  // For each value the nodes that read it (a node twice when it reads it twice).
  std::vector<std::vector<NodeId>> Consumers() const;

  // Symbols: named dimensions such as "batch". The same name gives the same id.
  int32_t SymbolId(absl::string_view name);
  const std::vector<std::string>& symbols() const { return symbols_; }

  // Checks ids, producers, arities and order of definition; INTERNAL naming the node when broken.
  absl::Status Verify() const;
  // One line a node: "%12 float32[1,64] = Relu(%11)". Stable for equal graphs.
  std::string ToString() const;

 private:
  void ForgetUnusedConstants();

  std::vector<Node> nodes_;
  std::vector<Value> values_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::vector<std::string> output_names_;
  std::vector<std::string> symbols_;
};

}  // namespace inferd
