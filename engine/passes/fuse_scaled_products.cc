#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/cast_constant.h"
#include "engine/passes/epilogue_operand.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// 8-bit floats and the scale by which DequantizeLinear multiplies all of them.
struct ScaledValues {
  ValueId values;
  ValueId scale;
};

bool IsZero(const Tensor* zero_point) {
  constexpr uint8_t kAllButTheSign = 0x7f;
  return zero_point != nullptr && zero_point->num_elements() == 1 &&
         (static_cast<const uint8_t*>(zero_point->raw())[0] & kAllButTheSign) == 0;
}

std::optional<ScaledValues> MatchDequantized(const Graph& graph, const Matcher& matcher,
                                             ValueId value) {
  const Node* dequantize = matcher.Producer(value, "DequantizeLinear");
  if (dequantize == nullptr) return std::nullopt;
  const ScaledValues found = {dequantize->inputs[0], dequantize->inputs[1]};
  const DType type = graph.value(found.values).type.dtype;
  if (type != DType::kFloat8E4m3fn && type != DType::kFloat8E5m2) return std::nullopt;
  const SymbolicShape& scale = graph.value(found.scale).type.shape;
  if (!scale.IsConcrete() || scale.ToShape().num_elements() != 1) return std::nullopt;
  const bool has_zero = dequantize->inputs.size() > 2 && dequantize->inputs[2] != kNoValue;
  if (has_zero && !IsZero(graph.constant(dequantize->inputs[2]))) return std::nullopt;
  return found;
}

// Whether a Transpose exchanges the last two dimensions alone.
bool ExchangesLastTwo(const Graph& graph, const Node& transpose) {
  const int rank = graph.value(transpose.inputs[0]).type.shape.rank();
  std::vector<int64_t> order = transpose.attributes.Ints("perm");
  if (order.size() < 2) return order.empty() && rank == 2;
  std::swap(order[order.size() - 2], order[order.size() - 1]);
  return std::is_sorted(order.begin(), order.end());
}

// Whether the node is a product of its first two inputs as they are, plus a third.
bool IsPlainProduct(const Node& node) {
  if (!node.op->domain.empty() || !node.epilogue.empty()) return false;
  if (node.op->name == "MatMul") return true;
  return node.op->name == "Gemm" && node.attributes.Int("transA", 0) == 0 &&
         node.attributes.Float("alpha", 1) == 1 && node.attributes.Float("beta", 1) == 1;
}

// The node that takes the place of `product`; its scales may still be of other types than float32.
std::optional<Node> ScaledProduct(const Graph& graph, const Matcher& matcher, const Node& product) {
  if (!IsPlainProduct(product)) return std::nullopt;
  bool transposed = product.attributes.Int("transB", 0) != 0;
  ValueId right = product.inputs[1];
  const Node* transpose = matcher.Producer(right, "Transpose");
  if (transpose != nullptr && ExchangesLastTwo(graph, *transpose)) {
    right = transpose->inputs[0];
    transposed = !transposed;
  }
  const auto a = MatchDequantized(graph, matcher, product.inputs[0]);
  const auto b = MatchDequantized(graph, matcher, right);
  if (!a || !b) return std::nullopt;
  Node node;
  node.name = product.name;
  node.op = &OpRegistry::Builtin().Get("inferd", "ScaledMatMul");
  node.inputs = {a->values, b->values, a->scale, b->scale};
  node.outputs = product.outputs;
  const DType type = graph.value(product.outputs[0]).type.dtype;
  node.attributes.Set("output_dtype", static_cast<int64_t>(type));
  node.attributes.Set("transB", int64_t{transposed});
  if (product.inputs.size() > 2 && product.inputs[2] != kNoValue) {
    AppendBinaryStep(OpRegistry::Builtin().Get("", "Add"), product.inputs[2], {}, &node);
  }
  return node;
}

absl::StatusOr<ValueId> AsFloat(const Graph& graph, GraphEditor& editor, ValueId scale) {
  ValueType type = graph.value(scale).type;
  if (type.dtype == DType::kFloat32) return scale;
  if (const Tensor* constant = graph.constant(scale)) {
    ASSIGN_OR_RETURN(Tensor number, CastConstant(*constant, DType::kFloat32));
    return editor.AddConstant(std::move(number));
  }
  type.dtype = DType::kFloat32;
  Node cast;
  cast.op = &OpRegistry::Builtin().Get("", "Cast");
  cast.inputs = {scale};
  cast.attributes.Set("to", static_cast<int64_t>(DType::kFloat32));
  return editor.Add(std::move(cast), std::move(type));
}

}  // namespace

absl::StatusOr<int> FuseScaledProducts(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  const int count = graph.num_nodes();  // what is added is no such product
  for (NodeId id = 0; id < count; ++id) {
    if (graph.node(id).removed) continue;
    std::optional<Node> product = ScaledProduct(graph, editor, graph.node(id));
    if (!product || !context.Accelerated(graph, *product, graph.node(id))) continue;
    for (const int scale : {2, 3}) {
      ASSIGN_OR_RETURN(product->inputs[scale], AsFloat(graph, editor, product->inputs[scale]));
    }
    editor.Replace(id, *std::move(product));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
