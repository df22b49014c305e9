#include "engine/providers/cpu/row_bias.h"

#include "engine/graph/op_def.h"
#include "engine/providers/cpu/dnnl_epilogue.h"
#include "engine/providers/cpu/node_checks.h"

namespace inferd::cpu {

RowBias RowBias::Of(const Graph& graph, const Node& node) {
  if (HasInput(node, 2)) return {2, 0};
  if (node.epilogue.empty()) return {};
  const EpilogueStep& step = node.epilogue[0];
  const SymbolicShape& output = OutputShape(graph, node);
  const int channels = node.op->name == "Conv" ? 1 : output.rank() - 1;
  const bool is_row = step.op->name == "Add" && step.operand >= 0 &&
                      graph.value(node.inputs[step.operand]).type.dtype == DType::kFloat32 &&
                      IsPerChannel(InputShape(graph, node, step.operand), output, channels);
  return is_row ? RowBias{step.operand, 1} : RowBias{};
}

bool IsPlainProduct(const Graph& graph, const Node& node) {
  if (node.op->name != "Gemm") return true;
  const Attributes& a = node.attributes;
  if (a.Float("alpha", 1) != 1 || a.Int("transA", 0) != 0) return false;
  return !HasInput(node, 2) ||
         (a.Float("beta", 1) == 1 && graph.value(node.inputs[2]).type.dtype == DType::kFloat32 &&
          IsPerChannel(InputShape(graph, node, 2), OutputShape(graph, node), 1));
}

}  // namespace inferd::cpu
