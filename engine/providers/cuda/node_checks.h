#pragma once

#include <optional>

#include "engine/graph/graph.h"
#include "engine/providers/cuda/launch/types.h"

// Questions that every kernel asks about a node.
namespace inferd::cuda {

// Null for types that kernels do not have.
std::optional<Type> TypeOf(DType dtype);
std::optional<Type> TypeOf(const Graph& graph, ValueId value);
bool IsFloatType(DType dtype);   // of 16 or 32 bits
bool IsFloat8Type(DType dtype);  // float8e4m3fn or float8e5m2

inline bool HasInput(const Node& node, int i) {
  return i < node.num_op_inputs() && node.inputs[i] != kNoValue;
}
inline DType DTypeOf(const Graph& graph, ValueId value) { return graph.value(value).type.dtype; }
inline const SymbolicShape& ShapeOf(const Graph& graph, ValueId value) {
  return graph.value(value).type.shape;
}
// Of a bound graph.
inline Shape BoundShape(const Graph& graph, ValueId value) {
  return graph.value(value).type.shape.ToShape();
}

// Whether all inputs of the operator that are there and all outputs have this many or fewer
// dimensions, and the types that `accepts` accepts.
bool AllOperands(const Graph& graph, const Node& node, bool (*accepts)(DType dtype), int most_rank);

// Strides in elements of a value as it lies in memory, outer dimensions first.
Strides StridesOf(const Graph& graph, ValueId value);

}  // namespace inferd::cuda
