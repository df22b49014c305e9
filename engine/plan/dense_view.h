#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/graph/graph.h"

namespace inferd {

// Where the elements of `output` start, in elements, when `node`, whose shapes are known, only
// takes one stretch of its first input: Split and Slice along the outermost axis that has more than
// one entry, Gather of one entry of it, Transpose of axes of size one. nullopt where elements move.
std::optional<int64_t> DenseOffset(const Graph& graph, const Node& node, ValueId output);

// Where the inputs of a Concat start, in elements, when each becomes one stretch of the output.
std::optional<std::vector<int64_t>> DenseParts(const Graph& graph, const Node& concat);

}  // namespace inferd
