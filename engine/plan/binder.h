#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"

namespace inferd {

// A copy of `graph` with its inputs' shapes set to `input_shapes` (one an input): every shape rule
// is run again and shape arithmetic and other small values that are now known become constants.
// INVALID_ARGUMENT naming the node whose shapes do not fit.
absl::StatusOr<Graph> BindShapes(const Graph& graph, absl::Span<const Shape> input_shapes);

}  // namespace inferd
