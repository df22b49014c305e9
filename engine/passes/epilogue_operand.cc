#include "engine/passes/epilogue_operand.h"

#include <utility>

namespace inferd {

void AppendBinaryStep(const OpDef& op, ValueId operand, Attributes attributes, Node* node) {
  if (node->first_epilogue_input < 0) {
    node->first_epilogue_input = static_cast<int>(node->inputs.size());
  }
  EpilogueStep step;
  step.op = &op;
  step.attributes = std::move(attributes);
  step.operand = static_cast<int>(node->inputs.size());
  node->inputs.push_back(operand);
  node->epilogue.push_back(std::move(step));
}

}  // namespace inferd
