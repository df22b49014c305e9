#pragma once

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/graph/value_type.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// The type of a value: dimensions with a name become symbols of `graph`, negative or missing ones
// are unknown. A missing type gives a tensor type with nothing known.
absl::StatusOr<ValueType> ReadType(const ::onnx::TypeProto& proto, Graph& graph);

// `type`, whose symbols are those of `from`, for use in `to`.
ValueType TranslateSymbols(const ValueType& type, const Graph& from, Graph& to);

}  // namespace inferd
