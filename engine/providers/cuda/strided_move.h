#pragma once

#include <vector>

#include "engine/providers/cuda/launch/copy.h"
#include "engine/providers/cuda/step_kernel.h"

namespace inferd::cuda {

// A copy between an input and the output of a step, without addresses. A value type.
struct StridedMove {
  int input = 0;
  int output = 0;
  CopyRequest copy;
};

// A kernel of copies, after what a node does not copy was filled with an element's bytes (`fill` of
// the output's element size) if `fills`. The moves are simplified here. Elements of 1, 2, 4 or 8
// bytes.
absl::StatusOr<std::unique_ptr<BoundKernel>> MakeMoveKernel(const Graph& graph, const Node& node,
                                                            std::vector<StridedMove> moves,
                                                            bool fills = false, uint64_t fill = 0);

// Whether the operands are tensors of the same type, which copies can move, of known rank; only the
// first input is looked at unless `all_inputs`.
bool CanMove(const Graph& graph, const Node& node, bool all_inputs = false);

}  // namespace inferd::cuda
