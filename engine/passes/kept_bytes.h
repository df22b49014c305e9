#pragma once

#include <cstdint>

#include "engine/graph/graph.h"

namespace inferd {

// Whether a value of that shape is the same bytes row-major and channels-last: one channel or one
// pixel.
bool HasOneOrder(const Shape& shape);

// Whether the first output of `node`, of known shapes and without its epilogue, is byte by byte its
// first input when these are stored in the orders `from` and `to`: tokens [N,L,C] are the pixels of
// a channels-last [N,C,L], and both are those of a channels-last [N,C,H,W]. False for all that is
// no Reorder, Transpose or view.
bool KeepsBytes(const Graph& graph, const Node& node, Layout from, Layout to);
// The same for the orders that the node's values have.
bool KeepsBytes(const Graph& graph, const Node& node);

// The bytes of a value of known shape.
int64_t BytesOf(const Graph& graph, ValueId value);
// How many bytes the Reorder and Transpose nodes of a bound graph write.
int64_t BytesMoved(const Graph& graph);

}  // namespace inferd
