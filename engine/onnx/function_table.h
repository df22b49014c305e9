#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/onnx/attribute_reader.h"
#include "engine/onnx/opset_versions.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// A function that a model defines, with the parts that the protobuf classes do not know.
struct ModelFunction {
  const ::onnx::FunctionProto* proto = nullptr;
  OpsetVersions opsets;
  AttributeScope defaults;  // attribute_proto: attributes with a value of their own
};

// A model's functions by domain, name and overload. Points into the model, which must outlive it.
// Immutable.
class FunctionTable {
 public:
  // INVALID_ARGUMENT for duplicates and malformed parts.
  static absl::StatusOr<FunctionTable> Read(const ::onnx::ModelProto& model);

  // The function that `node` calls, or null.
  const ModelFunction* Find(const ::onnx::NodeProto& node) const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, ModelFunction> functions_;
};

// NodeProto.overload, which the protobuf classes keep as an unknown field.
std::string OverloadOf(const ::onnx::NodeProto& node);

}  // namespace inferd
