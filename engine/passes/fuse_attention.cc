#include <optional>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/attention_match.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/passes/strided_view.h"

namespace inferd {
namespace {

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

// A node of two inputs and one output.
absl::StatusOr<ValueId> AddBinary(Graph& graph, absl::string_view op, ValueId a, ValueId b) {
  Node node;
  node.op = &OpRegistry::Builtin().Get("", op);
  node.inputs = {a, b};
  const ValueId output = graph.AddValue("");
  node.outputs = {output};
  RETURN_IF_ERROR(InferNode(graph, graph.AddNode(std::move(node))));
  return output;
}

absl::StatusOr<ValueId> AddWithShape(Graph& graph, absl::string_view op, ValueId x,
                                     const Shape& shape) {
  const std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
  const ValueId sizes = graph.AddConstant(
      "", Tensor::FromValues<int64_t>(Shape({shape.rank()}), absl::Span<const int64_t>(dims)));
  return AddBinary(graph, op, x, sizes);
}

// Of the view's sizes those along which its elements differ, else 1; nullopt where these are not
// all of the elements in their order.
std::optional<Shape> RepeatedSizes(const StridedView& view, int64_t elements) {
  Shape shape;
  for (int i = 0; i < view.rank(); ++i) {
    const auto stride = view.Stride(i);
    if (!stride) return std::nullopt;
    shape.push_back(*stride == 0 ? 1 : view.size(i));
  }
  const Shape::Dims strides = shape.RowMajorStrides();
  for (int i = 0; i < view.rank(); ++i) {
    if (shape[i] != 1 && view.Stride(i) != strides[i]) return std::nullopt;
  }
  return shape.num_elements() == elements ? std::optional(std::move(shape)) : std::nullopt;
}

// A bias as one that broadcasts to `scores`. Where it was added, batch and heads may have been
// divided in another way, as windows of images are.
absl::StatusOr<ValueId> OverScores(Graph& graph, const ScoreTerm& bias, const Shape& scores) {
  const Shape own = ShapeOf(graph, bias.value);
  if (bias.shape == scores) return bias.value;
  StridedView view(own);
  if (view.Broadcast(bias.shape) && view.Reshape(scores)) {
    if (const auto shape = RepeatedSizes(view, own.num_elements())) {
      return AddWithShape(graph, "Reshape", bias.value, *shape);
    }
  }
  ASSIGN_OR_RETURN(const ValueId whole, AddWithShape(graph, "Expand", bias.value, bias.shape));
  return AddWithShape(graph, "Reshape", whole, scores);
}

// All biases as one value, laid out as `fused->attention.bias` then says.
absl::StatusOr<ValueId> SumOfBiases(Graph& graph, FusedAttention* fused) {
  if (fused->biases.size() == 1) return fused->biases[0].value;
  StridedAttention& a = fused->attention;
  const Shape scores({a.batch, a.heads, a.queries, a.keys});
  ValueId sum = kNoValue;
  for (const ScoreTerm& bias : fused->biases) {
    ASSIGN_OR_RETURN(const ValueId next, OverScores(graph, bias, scores));
    if (sum == kNoValue) {
      sum = next;
    } else {
      ASSIGN_OR_RETURN(sum, AddBinary(graph, "Add", sum, next));
    }
  }
  // The attention reads keys side by side.
  const Shape shape = ShapeOf(graph, sum);
  if (shape.rank() == 0 || shape[shape.rank() - 1] != a.keys) {
    ASSIGN_OR_RETURN(sum, AddWithShape(graph, "Expand", sum, scores));
  }
  StridedView view(ShapeOf(graph, sum));
  if (!view.Broadcast(scores)) return absl::InternalError("the sum of biases has no layout");
  a.bias = {view.Stride(0).value_or(0), view.Stride(1).value_or(0), view.Stride(2).value_or(0)};
  return sum;
}

absl::Status Replace(Graph& graph, FusedAttention fused) {
  Node node;
  node.op = &OpRegistry::Builtin().Get("inferd", "Attention");
  node.inputs = {fused.q, fused.k, fused.v};
  if (!fused.biases.empty() || fused.mask != kNoValue) node.inputs.push_back(kNoValue);
  if (!fused.biases.empty()) {
    ASSIGN_OR_RETURN(node.inputs[3], SumOfBiases(graph, &fused));
  }
  if (fused.mask != kNoValue) node.inputs.push_back(fused.mask);
  node.attributes = fused.attention.ToAttributes();
  const NodeId replaced = graph.value(fused.y).producer;
  node.name = graph.node(replaced).name;
  node.outputs = {fused.y};
  graph.RemoveNode(replaced);
  return InferNode(graph, graph.AddNode(std::move(node)));
}

bool IsRowSoftmax(const Graph& graph, const Node& node) {
  if (node.op->name != "Softmax") return false;
  const int64_t axis = node.attributes.Int("axis", -1);
  return axis == -1 || axis == graph.value(node.inputs[0]).type.shape.rank() - 1;
}

std::optional<FusedAttention> MatchNode(const Graph& graph, const Matcher& matcher,
                                        const Node& node) {
  if (node.removed || !node.op->domain.empty() || !node.epilogue.empty()) return std::nullopt;
  if (IsRowSoftmax(graph, node)) return MatchSoftmax(graph, matcher, node);
  if (node.op->name == "Attention") return MatchOperator(graph, matcher, node);
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int> FuseAttention(Graph& graph, const PassContext&) {
  int changes = 0;
  const Matcher matcher(graph);
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    auto fused = MatchNode(graph, matcher, graph.node(id));
    if (!fused) continue;
    RETURN_IF_ERROR(Replace(graph, *std::move(fused)));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
