#include "engine/plan/dense_view.h"

#include "engine/graph/op_def.h"
#include "engine/ops/infer_context.h"
#include "engine/passes/strided_view.h"

namespace inferd {
namespace {

Shape ShapeOf(const Graph& graph, ValueId value) { return graph.value(value).type.shape.ToShape(); }

bool IsRowMajor(const Graph& graph, ValueId value) {
  return graph.value(value).layout == Layout::kRowMajor;
}

}  // namespace

std::optional<int64_t> DenseOffset(const Graph& graph, const Node& node, ValueId output) {
  const bool rearranges = node.op->name == "Split" || node.op->name == "Slice" ||
                          node.op->name == "Gather" || node.op->name == "Transpose";
  if (!node.op->domain.empty() || !rearranges || !node.epilogue.empty() || output == kNoValue ||
      !IsRowMajor(graph, node.inputs[0]) || !IsRowMajor(graph, output)) {
    return std::nullopt;
  }
  const Shape shape = ShapeOf(graph, output);
  StridedView view(ShapeOf(graph, node.inputs[0]));
  if (shape.num_elements() == 0 || !ApplyToView(graph, node, output, &view) || !view.IsDense()) {
    return std::nullopt;
  }
  return view.offset();
}

std::optional<std::vector<int64_t>> DenseParts(const Graph& graph, const Node& concat) {
  if (!concat.op->domain.empty() || concat.op->name != "Concat" || !concat.epilogue.empty() ||
      !IsRowMajor(graph, concat.outputs[0])) {
    return std::nullopt;
  }
  const Shape whole = ShapeOf(graph, concat.outputs[0]);
  const auto axis = NormalizeAxis(concat.attributes.Int("axis", 0), whole.rank());
  if (!axis.ok() || whole.Product(0, *axis) != 1) return std::nullopt;
  std::vector<int64_t> offsets;
  int64_t next = 0;
  for (const ValueId part : concat.inputs) {
    if (part == kNoValue || !IsRowMajor(graph, part)) return std::nullopt;
    offsets.push_back(next);
    next += ShapeOf(graph, part).num_elements();
  }
  return offsets;
}

}  // namespace inferd
