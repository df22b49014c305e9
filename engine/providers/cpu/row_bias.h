#pragma once

#include <cstddef>

#include "engine/graph/graph.h"

namespace inferd::cpu {

// The node input, a vector of floats, that a MatMul, Gemm or Conv adds to every row of its product:
// its own, or that of the first step of its epilogue. A value type.
struct RowBias {
  static RowBias Of(const Graph& graph, const Node& node);

  int input = -1;    // -1: none
  size_t steps = 0;  // of the epilogue that it is
};

// False for a Gemm that scales, transposes its left side or adds something that is no row.
bool IsPlainProduct(const Graph& graph, const Node& node);

}  // namespace inferd::cpu
