#pragma once

#include "engine/graph/graph.h"

namespace inferd {

// Appends op(x, operand) to the node's epilogue.
void AppendBinaryStep(const OpDef& op, ValueId operand, Attributes attributes, Node* node);

}  // namespace inferd
