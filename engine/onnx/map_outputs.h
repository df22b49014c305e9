#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace inferd {

// Makes each output of the graph that a ZipMap gives, a map from class to score for every row, the
// matrix of the scores that the ZipMap reads. The output keeps its name. Returns the classes by
// output name in the order of the matrix's columns, numbers as text. An output whose class names
// are no UTF-8 stays a map: clients could not be told them.
std::map<std::string, std::vector<std::string>> ReplaceMapOutputs(Graph& graph);

}  // namespace inferd
