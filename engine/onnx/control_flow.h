#pragma once

#include <vector>

#include "absl/status/status.h"
#include "engine/graph/graph.h"
#include "engine/onnx/onnx_node.h"

namespace inferd {

// Checks that the bodies of an If, Loop, Scan or SequenceMap take and give as many values as the
// node passes and expects; each body's last inputs are the `captured` ones. Fills in the node's
// absent inputs and outputs, so that positions in node and body agree:
//   If:                node inputs  cond, captured...         bodies  captured...
//   Loop:              node inputs  M, cond, carried..., captured...
//                      body takes   iteration, cond, carried..., captured...
//                      and gives    cond, carried..., scanned...
//   Scan, SequenceMap: node and body inputs agree one by one.
absl::Status CheckControlFlow(OnnxNode& node, const std::vector<ValueId>& captured);

// Gives the node's outputs the element types that the bodies declare or infer.
void SetControlFlowTypes(const Node& node, Graph& graph);

}  // namespace inferd
