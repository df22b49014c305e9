#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"
#include "engine/onnx/tensor_reader.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// The attributes with which a model-local function is called, by name; bodies refer to them.
using AttributeScope = std::map<std::string, ::onnx::AttributeProto, std::less<>>;

// The attribute that `proto` stands for: itself, or what it refers to in `scope` (null outside of
// functions). Null when it refers to one the caller did not give.
absl::StatusOr<const ::onnx::AttributeProto*> ResolveAttribute(const ::onnx::AttributeProto& proto,
                                                               const AttributeScope* scope);

// The type of an attribute; older files leave it out, and it follows from the field that is set.
::onnx::AttributeProto::AttributeType TypeOfAttribute(const ::onnx::AttributeProto& proto);

// The value of an attribute that is no graph. A sparse tensor becomes a dense one, and a type
// becomes its text ("sequence(float32[...])").
absl::StatusOr<Attributes::Value> ReadAttribute(const ::onnx::AttributeProto& proto,
                                                TensorReader& tensors);

}  // namespace inferd
