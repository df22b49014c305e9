#pragma once

#include <cstdint>
#include <string>

#include "engine/graph/graph.h"

namespace inferd {

// What the row-by-row analysis found.
struct RowAnalysis {
  bool row_by_row = false;
  std::string reason;  // when not: the node or value that decided
};

// Whether dimension 0 of every input (bound to `batch` rows, a size no other dimension has) is
// carried through every node of this bound graph row by row to dimension 0 of every output. A value
// is one of: the same for every batch; rows, its dimension 0 being batch times a factor with the
// batch outermost; anything else, which refuses. Conservative: an operator it does not know
// refuses.
RowAnalysis AnalyzeRows(const Graph& bound, int64_t batch);

}  // namespace inferd
