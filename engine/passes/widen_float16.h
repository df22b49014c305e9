#pragma once

#include "engine/graph/graph.h"

namespace inferd {

// Whether float16 is how the model is stored: it has weights of it. A graph without is arithmetic
// on float16 for its own sake, rounding included.
bool HasFloat16Weights(const Graph& graph);

}  // namespace inferd
