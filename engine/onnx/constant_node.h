#pragma once

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/onnx/attribute_reader.h"
#include "engine/onnx/tensor_reader.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// The tensor that a Constant node stands for, whichever of its attributes gives it. `attributes`
// are those of the enclosing function call, or null.
absl::StatusOr<Tensor> ReadConstantNode(const ::onnx::NodeProto& proto,
                                        const AttributeScope* attributes, TensorReader& tensors);

}  // namespace inferd
