#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

enum Input { kA, kB, kBScale, kBZero, kBias };

ValueId InputOrNone(const Node& node, size_t i) {
  return i < node.inputs.size() ? node.inputs[i] : kNoValue;
}

absl::Status Lower(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  graph.RemoveNode(id);
  Node quantize;
  quantize.name = node.name;
  quantize.op = &OpRegistry::Builtin().Get("", "DynamicQuantizeLinear");
  quantize.inputs = {node.inputs[kA]};
  for (int i = 0; i < 3; ++i) quantize.outputs.push_back(graph.AddValue(""));
  const std::vector<ValueId> quantized = quantize.outputs;
  RETURN_IF_ERROR(InferNode(graph, graph.AddNode(std::move(quantize))));
  Node product;
  product.name = node.name;
  product.op = &OpRegistry::Builtin().Get("com.microsoft", "MatMulIntegerToFloat");
  product.inputs = {quantized[0],
                    node.inputs[kB],
                    quantized[1],
                    node.inputs[kBScale],
                    quantized[2],
                    InputOrNone(node, kBZero),
                    InputOrNone(node, kBias)};
  product.outputs = node.outputs;
  return InferNode(graph, graph.AddNode(std::move(product)));
}

}  // namespace

absl::StatusOr<int> LowerDynamicProducts(Graph& graph, const PassContext&) {
  int changes = 0;
  const int count = graph.num_nodes();  // what is added is lowered
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = graph.node(id);
    if (node.removed || node.op->domain != "com.microsoft" ||
        node.op->name != "DynamicQuantizeMatMul") {
      continue;
    }
    RETURN_IF_ERROR(Lower(graph, id));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
