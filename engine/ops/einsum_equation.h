#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/shape.h"

namespace inferd {

// An Einsum equation, its labels numbered: every dimension of every operand and of the output has a
// label, dimensions under "..." included. Labels below `output.size()` are the output's, in order;
// the others are summed over. A value type.
struct EinsumEquation {
  std::vector<std::vector<int>> operands;
  std::vector<int> output;
  int num_labels = 0;

  // INVALID_ARGUMENT when the text is malformed or does not fit operands of these ranks.
  static absl::StatusOr<EinsumEquation> Parse(absl::string_view text,
                                              const std::vector<int>& ranks);

  // The size of each label over operands of these shapes; dimensions of size 1 under "..."
  // broadcast.
  absl::StatusOr<std::vector<Dim>> LabelSizes(const std::vector<SymbolicShape>& shapes) const;
};

}  // namespace inferd
