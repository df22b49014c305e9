#include "engine/passes/pointwise_conv.h"

#include <algorithm>
#include <vector>

#include "engine/graph/op_def.h"

namespace inferd {

bool IsFloatImage(const Graph& graph, ValueId value) {
  if (value == kNoValue) return false;
  const ValueType& type = graph.value(value).type;
  return type.is_tensor() && type.dtype == DType::kFloat32 && type.shape.IsConcrete() &&
         type.shape.rank() == 4;
}

bool IsPointwiseConv(const Graph& graph, const Node& node) {
  if (node.removed || !node.op->domain.empty() || node.op->name != "Conv" ||
      node.num_op_inputs() < 2 || !IsFloatImage(graph, node.inputs[0]) ||
      !IsFloatImage(graph, node.outputs[0])) {
    return false;
  }
  const auto all = [&](const char* name, int64_t expected) {
    const std::vector<int64_t>& values = node.attributes.Ints(name);
    return std::all_of(values.begin(), values.end(), [=](int64_t v) { return v == expected; });
  };
  const Tensor* weights = graph.constant(node.inputs[1]);
  const Shape from = graph.value(node.inputs[0]).type.shape.ToShape();
  const Shape to = graph.value(node.outputs[0]).type.shape.ToShape();
  return weights != nullptr && weights->dtype() == DType::kFloat32 && weights->rank() == 4 &&
         weights->dim(2) == 1 && weights->dim(3) == 1 && weights->dim(1) == from[1] &&
         all("strides", 1) && all("pads", 0) && from[2] == to[2] && from[3] == to[3];
}

}  // namespace inferd
