#pragma once

#include <limits>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"

namespace inferd::cpu {

// What steps of an epilogue bound a result by. A value type.
struct SumBounds {
  // False, and nothing changed, where the step is no Relu or Clip or leaves no number in between.
  bool Take(const EpilogueStep& step);

  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// Whether the step adds an input of the output's shape that is stored in the same order; its type
// may be another.
bool AddsLikeOutput(const Graph& graph, const Node& node, const EpilogueStep& step);

// A node's epilogue, split for kernels that sum in registers: an addition and bounds are applied to
// the sums before they are stored, what is more than that to finished pieces of the output.
// Immutable once planned.
struct SumEpilogue {
  // Without the first `skip` steps, which the kernel itself does. INVALID_ARGUMENT unless
  // ElementwiseChain::SupportsEpilogue(). The node's layouts are assigned.
  static absl::StatusOr<SumEpilogue> Plan(const Graph& graph, const Node& node, size_t skip = 0);

  int add = -1;  // the input, stored as the output is, to add; -1: none
  SumBounds bounds;
  ElementwiseChain rest;
};

}  // namespace inferd::cpu
