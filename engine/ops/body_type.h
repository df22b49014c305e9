#pragma once

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace inferd {

// What the shape rules of If, Loop and Scan learn from their bodies.

// INVALID_ARGUMENT when the node has no subgraph of that name.
absl::StatusOr<const Graph*> FindBody(const Node& node, absl::string_view name);

// The type of the body's output `i` as seen from outside: the body's symbols mean nothing there.
ValueType BodyOutputType(const Graph& body, int i);

// The same type with every tensor's shape unknown.
ValueType WithoutShape(ValueType type);

// INVALID_ARGUMENT when an input from `first` on is absent.
absl::Status CheckInputsPresent(const Node& node, int first);

}  // namespace inferd
