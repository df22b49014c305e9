#pragma once

#include <memory>
#include <string>

#include "engine/core/shape.h"
#include "engine/core/tensor.h"

namespace inferd {

// The static type of a value in a graph: kind, element type and as much of the shape as is known.
// A value type.
struct ValueType {
  ValueKind kind = ValueKind::kTensor;
  DType dtype = DType::kInvalid;             // tensors; kInvalid when not known yet
  SymbolicShape shape;                       // tensors
  DType key_dtype = DType::kInvalid;         // maps
  std::shared_ptr<const ValueType> element;  // sequences, optionals; the values of maps

  static ValueType OfTensor(DType dtype, SymbolicShape shape) {
    ValueType type;
    type.dtype = dtype;
    type.shape = std::move(shape);
    return type;
  }
  static ValueType OfSequence(ValueType element);
  static ValueType OfOptional(ValueType element);
  static ValueType OfMap(DType key, ValueType value);

  bool is_tensor() const { return kind == ValueKind::kTensor; }
  // "float32[1,s0,768]", "sequence(float32[...])".
  std::string ToString() const;
};

}  // namespace inferd
