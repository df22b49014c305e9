#include "engine/providers/cuda/node_checks.h"

namespace inferd::cuda {

std::optional<Type> TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return Type::kFloat32;
    case DType::kFloat16:
      return Type::kFloat16;
    case DType::kBfloat16:
      return Type::kBfloat16;
    case DType::kFloat64:
      return Type::kFloat64;
    case DType::kInt32:
      return Type::kInt32;
    case DType::kInt64:
      return Type::kInt64;
    case DType::kInt8:
      return Type::kInt8;
    case DType::kUint8:
      return Type::kUint8;
    case DType::kBool:
      return Type::kBool;
    default:
      return std::nullopt;
  }
}

std::optional<Type> TypeOf(const Graph& graph, ValueId value) {
  const ValueType& type = graph.value(value).type;
  return type.is_tensor() ? TypeOf(type.dtype) : std::nullopt;
}

bool IsFloatType(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}

bool IsFloat8Type(DType dtype) {
  return dtype == DType::kFloat8E4m3fn || dtype == DType::kFloat8E5m2;
}

bool AllOperands(const Graph& graph, const Node& node, bool (*accepts)(DType dtype),
                 int most_rank) {
  const auto fits = [&](ValueId id) {
    if (id == kNoValue) return true;
    const ValueType& type = graph.value(id).type;
    return type.is_tensor() && accepts(type.dtype) && type.shape.has_rank() &&
           type.shape.rank() <= most_rank;
  };
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (!fits(node.inputs[i])) return false;
  }
  for (ValueId output : node.outputs) {
    if (!fits(output)) return false;
  }
  return true;
}

Strides StridesOf(const Graph& graph, ValueId value) {
  const Shape::Dims dense = DenseStrides(BoundShape(graph, value), graph.value(value).layout);
  Strides strides;
  for (size_t d = 0; d < dense.size(); ++d) strides.at[d] = dense[d];
  return strides;
}

}  // namespace inferd::cuda
