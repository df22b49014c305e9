#pragma once

#include "engine/graph/graph.h"

namespace inferd {

// Whether the value holds floats [N,C,H,W] of known size.
bool IsFloatImage(const Graph& graph, ValueId value);

// Whether the node is a Conv of float images that reads each pixel once, with constant weights
// [M,C,1,1]: no groups, strides or padding. Its epilogue may be anything.
bool IsPointwiseConv(const Graph& graph, const Node& node);

}  // namespace inferd
