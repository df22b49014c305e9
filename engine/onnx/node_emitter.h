#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/graph/graph.h"
#include "engine/onnx/onnx_node.h"
#include "engine/ops/op_registry.h"

namespace inferd {

// Puts canonical nodes into graphs: checks arity and attributes against the operator's definition
// and gives the outputs their types as far as the shape rule can tell already, because some
// conversions of later nodes need ranks. Used by one thread at a time.
class NodeEmitter {
 public:
  explicit NodeEmitter(const OpRegistry& registry) : registry_(registry) {}

  // UNIMPLEMENTED for an unknown operator, INVALID_ARGUMENT for a wrong node. Messages do not name
  // the node; callers prepend it. `captured` values are appended to the inputs unchecked.
  absl::Status Emit(OnnxNode node, Graph& graph, const std::vector<ValueId>& captured = {});

  bool Knows(const std::string& domain, const std::string& op_type) const {
    return registry_.Find(domain, op_type) != nullptr;
  }

 private:
  const OpRegistry& registry_;
};

}  // namespace inferd
