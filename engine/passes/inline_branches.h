#pragma once

#include "engine/graph/graph.h"

namespace inferd {

// Replaces every If whose condition is a constant by the nodes of the branch it takes. The new
// nodes' outputs have unknown shapes and come last: sort the graph and infer its types again.
// Returns how many were replaced.
int InlineBranches(Graph& graph);

}  // namespace inferd
