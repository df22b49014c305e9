#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "onnx/onnx_pb.h"

namespace inferd {

// The names that a graph uses and does not define, its subgraphs included: what it captures.
// In order of first use, without duplicates; views into `graph`.
std::vector<absl::string_view> CapturedNames(const ::onnx::GraphProto& graph);

// The nodes' indices in an order in which every value is made before it is read; nodes that are in
// order already stay so. INVALID_ARGUMENT naming the nodes for a cycle or a value made twice.
absl::StatusOr<std::vector<int>> OrderNodes(
    const google::protobuf::RepeatedPtrField<::onnx::NodeProto>& nodes);

// "node 'conv1' (Conv)", or by its first output when it has no name.
std::string NodeText(const ::onnx::NodeProto& node);

}  // namespace inferd
