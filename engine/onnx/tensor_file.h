#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"

namespace inferd {

// Reads a value as ONNX's backend tests store it: a file holding one TensorProto, SequenceProto,
// OptionalProto or MapProto, as `kind` says. Errors name the file.
absl::StatusOr<Tensor> ReadTensorFile(const std::string& path, ValueKind kind);

}  // namespace inferd
