#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace inferd {

// "node 'conv1' (Conv)": how errors name a node.
std::string NodeLabel(const Node& node);

// Runs the node's shape rule and stores the types of its outputs; errors name the node.
absl::Status InferNode(Graph& graph, NodeId id);

// InferNode over all nodes; requires topological order.
absl::Status InferGraph(Graph& graph);

// The node's outputs by its portable kernel, when every input (or, for shape-only operators, every
// input's shape) is known and the outputs take at most `limit_bytes`; an empty list when it cannot
// be evaluated. Never runs operators that are random, have subgraphs or an epilogue.
absl::StatusOr<std::vector<Tensor>> EvaluateNode(const Graph& graph, const Node& node,
                                                 int64_t limit_bytes);

}  // namespace inferd
