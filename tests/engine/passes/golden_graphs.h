#pragma once

#include <map>
#include <string>

#include "engine/graph/graph.h"

namespace inferd::testing {

// The graphs whose optimized form is kept in tests/golden, by name: blocks as exporters write them.
std::map<std::string, Graph> GoldenGraphs();
// Likewise with the sizes known, for what bound passes make of them.
std::map<std::string, Graph> BoundGoldenGraphs();

}  // namespace inferd::testing
