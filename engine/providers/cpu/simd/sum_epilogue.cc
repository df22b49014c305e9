#include "engine/providers/cpu/simd/sum_epilogue.h"

#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"

namespace inferd::cpu {

bool SumBounds::Take(const EpilogueStep& step) {
  const bool relu = step.op->name == "Relu";
  if (step.operand >= 0 || !(relu || step.op->name == "Clip")) return false;
  const float least = relu ? 0.0f : step.attributes.Float("min", low);
  const float most = relu ? high : step.attributes.Float("max", high);
  const SumBounds both{std::max(low, least), std::min(high, most)};
  if (!(least <= most) || !(both.low <= both.high)) return false;
  *this = both;
  return true;
}

bool AddsLikeOutput(const Graph& graph, const Node& node, const EpilogueStep& step) {
  if (step.op->name != "Add" || step.operand < 0) return false;
  const Value& operand = graph.value(node.inputs[step.operand]);
  const Value& output = graph.value(node.outputs[0]);
  return operand.layout == output.layout && operand.type.shape.SameAs(output.type.shape);
}

absl::StatusOr<SumEpilogue> SumEpilogue::Plan(const Graph& graph, const Node& node, size_t skip) {
  SumEpilogue plan;
  size_t taken = skip;
  const auto& steps = node.epilogue;
  if (taken < steps.size() && AddsLikeOutput(graph, node, steps[taken]) &&
      graph.value(node.inputs[steps[taken].operand]).type.dtype == DType::kFloat32) {
    plan.add = steps[taken++].operand;
  }
  if (taken < steps.size() && plan.bounds.Take(steps[taken])) ++taken;
  ASSIGN_OR_RETURN(plan.rest, ElementwiseChain::Epilogue(graph, node, taken));
  return plan;
}

}  // namespace inferd::cpu
