#include "engine/providers/cpu/simd/sum_epilogue.h"

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"

namespace inferd::cpu {
namespace {

bool AddsTensorLikeOutput(const Graph& graph, const Node& node, const EpilogueStep& step) {
  if (step.op->name != "Add" || step.operand < 0) return false;
  const Value& operand = graph.value(node.inputs[step.operand]);
  const Value& output = graph.value(node.outputs[0]);
  return operand.type.dtype == DType::kFloat32 && operand.layout == output.layout &&
         operand.type.shape.SameAs(output.type.shape);
}

// False when the step is no bound.
bool TakeBound(const EpilogueStep& step, SumEpilogue* epilogue) {
  if (step.operand >= 0) return false;
  if (step.op->name == "Relu") {
    epilogue->low = 0;
    return true;
  }
  if (step.op->name != "Clip") return false;
  const float low = step.attributes.Float("min", epilogue->low);
  const float high = step.attributes.Float("max", epilogue->high);
  if (!(low <= high)) return false;
  epilogue->low = low;
  epilogue->high = high;
  return true;
}

}  // namespace

absl::StatusOr<SumEpilogue> SumEpilogue::Plan(const Graph& graph, const Node& node, size_t skip) {
  SumEpilogue plan;
  size_t taken = skip;
  if (taken < node.epilogue.size() && AddsTensorLikeOutput(graph, node, node.epilogue[taken])) {
    plan.add = node.epilogue[taken++].operand;
  }
  if (taken < node.epilogue.size() && TakeBound(node.epilogue[taken], &plan)) ++taken;
  ASSIGN_OR_RETURN(plan.rest, ElementwiseChain::Epilogue(graph, node, taken));
  return plan;
}

}  // namespace inferd::cpu
