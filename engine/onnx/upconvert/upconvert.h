#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/graph/graph.h"
#include "engine/onnx/node_emitter.h"
#include "engine/onnx/onnx_node.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {

// Brings `node`, written for an older opset, to the newest form of its operator: applies every row
// of the conversion tables that fits its version, oldest first. Nodes it needs before `node` go to
// `graph` through `emitter`. INVALID_ARGUMENT or UNIMPLEMENTED where no newest form says the same.
absl::Status Upconvert(OnnxNode& node, Graph& graph, NodeEmitter& emitter);

// True when a conversion exists for the operator, which the registry may not know by its old name.
bool HasConversion(absl::string_view domain, absl::string_view op_type);

}  // namespace inferd
