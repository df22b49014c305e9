#include "engine/passes/kept_bytes.h"

#include <vector>

#include "engine/core/dtype.h"
#include "engine/graph/op_def.h"
#include "engine/passes/strided_view.h"

namespace inferd {
namespace {

bool IsConcreteTensor(const Graph& graph, ValueId value) {
  return value != kNoValue && graph.value(value).type.is_tensor() &&
         graph.value(value).type.shape.IsConcrete();
}

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

Layout OrderOf(const Shape& shape, Layout layout) {
  return HasOneOrder(shape) ? Layout::kRowMajor : layout;
}

bool IsPlain(const Node& node, absl::string_view domain, absl::string_view op) {
  return node.op->domain == domain && node.op->name == op;
}

// Dimensions of a channels-last value as they lie in memory, and the way back.
std::vector<int64_t> ToStored(int rank) {
  std::vector<int64_t> permutation = {0};
  for (int i = 2; i < rank; ++i) permutation.push_back(i);
  permutation.push_back(1);
  return permutation;
}

std::vector<int64_t> FromStored(int rank) {
  std::vector<int64_t> permutation = {0, rank - 1};
  for (int i = 1; i + 1 < rank; ++i) permutation.push_back(i);
  return permutation;
}

// The logical value as a view of its storage.
StridedView ViewOfStored(const Shape& shape, Layout layout) {
  if (layout == Layout::kRowMajor) return StridedView(shape);
  Shape::Dims stored;
  for (const int64_t axis : ToStored(shape.rank())) stored.push_back(shape[axis]);
  StridedView view{Shape(stored)};
  view.Transpose(FromStored(shape.rank()));
  return view;
}

}  // namespace

bool HasOneOrder(const Shape& shape) {
  return shape.rank() < 3 || shape[1] == 1 || shape.Product(2, shape.rank()) == 1;
}

bool KeepsBytes(const Graph& graph, const Node& node, Layout from, Layout to) {
  if (node.inputs.empty() || node.outputs.size() != 1 || !IsConcreteTensor(graph, node.inputs[0]) ||
      !IsConcreteTensor(graph, node.outputs[0])) {
    return false;
  }
  const Shape source = ShapeOf(graph, node.inputs[0]);
  const Shape target = ShapeOf(graph, node.outputs[0]);
  from = OrderOf(source, from);
  to = OrderOf(target, to);
  if (IsPlain(node, "inferd", "Reorder")) return from == to;
  const bool view = node.op->op_class == OpClass::kView;
  if (!view && !IsPlain(node, "", "Transpose")) return false;
  if (view && from == Layout::kRowMajor && to == Layout::kRowMajor) return true;
  if (source.num_elements() == 0) return false;
  StridedView result = ViewOfStored(source, from);
  if (!ApplyToView(graph, node, node.outputs[0], &result)) return false;
  if (to == Layout::kChannelsLast) result.Transpose(ToStored(target.rank()));
  return result.IsDense();
}

bool KeepsBytes(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.inputs[0] == kNoValue || node.outputs.empty() ||
      node.outputs[0] == kNoValue) {
    return false;
  }
  return KeepsBytes(graph, node, graph.value(node.inputs[0]).layout,
                    graph.value(node.outputs[0]).layout);
}

int64_t BytesOf(const Graph& graph, ValueId value) {
  return ShapeOf(graph, value).num_elements() * ElementBytes(graph.value(value).type.dtype);
}

int64_t BytesMoved(const Graph& graph) {
  int64_t bytes = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    const bool moves = IsPlain(node, "inferd", "Reorder") || IsPlain(node, "", "Transpose");
    if (node.removed || !moves || !IsConcreteTensor(graph, node.outputs[0]) ||
        (node.epilogue.empty() && KeepsBytes(graph, node))) {
      continue;
    }
    bytes += BytesOf(graph, node.outputs[0]);
  }
  return bytes;
}

}  // namespace inferd
