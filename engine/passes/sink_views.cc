#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// Moves views of one bound graph. Used by one thread at a time.
class ViewSinker {
 public:
  ViewSinker(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), editor_(graph) {}

  int Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) changes += MakeView(id);
    for (NodeId id = 0; id < nodes; ++id) {
      const Node& node = graph_.node(id);
      const bool product = !node.removed && node.op->domain.empty() &&
                           (node.op->name == "MatMul" || node.op->name == "Gemm");
      if (!product || !IsFloat(node.outputs[0])) continue;
      ValueId y = node.outputs[0];
      while (const auto moved = SinkBehindReader(y)) {
        y = *moved;
        ++changes;
      }
    }
    return changes;
  }

 private:
  bool IsConcrete(ValueId value) const {
    const ValueType& type = graph_.value(value).type;
    return type.is_tensor() && type.shape.IsConcrete();
  }
  bool IsFloat(ValueId value) const {
    return IsConcrete(value) && graph_.value(value).type.dtype == DType::kFloat32;
  }
  Shape ShapeOf(ValueId value) const { return graph_.value(value).type.shape.ToShape(); }

  // The only node that reads the value; kNoNode where there are several or it is an output.
  NodeId OnlyReader(ValueId value) const {
    const std::vector<NodeId>& readers = editor_.Readers(value);
    const bool one = editor_.Uses(value) == 1 && readers.size() == 1;
    return one && !graph_.node(readers[0]).removed ? readers[0] : kNoNode;
  }

  // A Transpose that moves axes of size one alone becomes a Reshape.
  bool MakeView(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.removed || !node.op->domain.empty() || node.op->name != "Transpose" ||
        !node.epilogue.empty() || !IsConcrete(node.inputs[0]) || !IsConcrete(node.outputs[0])) {
      return false;
    }
    const Shape from = ShapeOf(node.inputs[0]);
    int64_t last = -1;
    for (const int64_t axis : node.attributes.Ints("perm")) {
      if (axis < 0 || axis >= from.rank()) return false;
      if (from[static_cast<int>(axis)] == 1) continue;
      if (axis < last) return false;
      last = axis;
    }
    if (node.attributes.Ints("perm").empty() || from.num_elements() == 0) return false;
    Node view = ReshapeOf(node.inputs[0], ShapeOf(node.outputs[0]));
    view.name = node.name;
    editor_.Replace(id, std::move(view));
    context_.Count("Transpose");
    return true;
  }

  Node ReshapeOf(ValueId value, const Shape& shape) {
    const std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
    Node reshape;
    reshape.op = &OpRegistry::Builtin().Get("", "Reshape");
    reshape.inputs = {value, editor_.AddConstant(Tensor::FromValues<int64_t>(
                                 Shape({shape.rank()}), absl::MakeConstSpan(dims)))};
    return reshape;
  }

  // With `value` of the shape of a view of a product, as an operand for one of shape `product`.
  enum class Fit : uint8_t { kAsItIs, kReshaped, kNot };
  Fit FitOf(ValueId operand, const Shape& view, const Shape& product) const {
    if (operand == kNoValue) return Fit::kAsItIs;
    if (!IsConcrete(operand)) return Fit::kNot;
    const Shape shape = ShapeOf(operand);
    const int rank = shape.rank();
    const bool row_like = product[product.rank() - 1] == view[view.rank() - 1] && rank >= 1 &&
                          shape.num_elements() == shape[rank - 1];
    if (rank <= product.rank() && (shape.num_elements() == 1 || row_like)) return Fit::kAsItIs;
    return shape == view && graph_.constant(operand) == nullptr ? Fit::kReshaped : Fit::kNot;
  }

  // What the views make of y that read it and each other alone; y where there are none.
  ValueId BehindViews(ValueId y) const {
    while (true) {
      const NodeId view = OnlyReader(y);
      if (view == kNoNode || !IsPlainView(graph_.node(view), y)) return y;
      y = graph_.node(view).outputs[0];
    }
  }

  // y -> views -> elementwise reader becomes y -> reader -> view. Returns the reader's new output.
  std::optional<ValueId> SinkBehindReader(ValueId y) {
    const ValueId seen = BehindViews(y);
    const NodeId reader_id = OnlyReader(seen);
    if (seen == y || reader_id == kNoNode || !IsFloat(seen)) return std::nullopt;
    const Node& reader = graph_.node(reader_id);
    if (reader.op->op_class != OpClass::kElementwise || !reader.epilogue.empty() ||
        reader.outputs.size() != 1 || !IsFloat(reader.outputs[0]) ||
        ShapeOf(reader.outputs[0]) != ShapeOf(seen)) {
      return std::nullopt;
    }
    const Shape product = ShapeOf(y);
    const Shape view = ShapeOf(seen);
    if (product.rank() == 0 || view.rank() == 0 || product.num_elements() == 0) return std::nullopt;
    for (const ValueId input : reader.inputs) {
      if (input != seen && FitOf(input, view, product) == Fit::kNot) return std::nullopt;
    }
    if (!RunsAsWell(reader, seen, y, view)) return std::nullopt;
    Node moved = reader;
    for (ValueId& input : moved.inputs) {
      if (input == seen) {
        input = y;
      } else if (FitOf(input, view, product) == Fit::kReshaped) {
        const ValueType type = ValueType::OfTensor(graph_.value(input).type.dtype, product);
        input = editor_.Add(ReshapeOf(input, product), type);
      }
    }
    const ValueId result = editor_.Add(std::move(moved), graph_.value(y).type);
    Node back = ReshapeOf(result, view);
    back.name = graph_.node(graph_.value(seen).producer).name;
    editor_.Replace(reader_id, std::move(back));
    context_.Count(graph_.node(graph_.value(result).producer).op->name);
    return result;
  }

  // Whether who runs the reader of `seen`, of shape `view`, would also run it before the views.
  bool RunsAsWell(const Node& reader, ValueId seen, ValueId y, const Shape& view) const {
    Node moved = reader;
    // As y are its result and the operands that are reshaped to it.
    moved.outputs = {y};
    for (ValueId& input : moved.inputs) {
      if (input == seen || FitOf(input, view, ShapeOf(y)) == Fit::kReshaped) input = y;
    }
    return context_.RunsAsWell(graph_, moved, reader);
  }

  static bool IsPlainView(const Node& node, ValueId y) {
    return node.op->op_class == OpClass::kView && node.op->domain.empty() &&
           node.epilogue.empty() && node.outputs.size() == 1 && node.inputs[0] == y;
  }

  Graph& graph_;
  const PassContext& context_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<int> SinkViews(Graph& graph, const PassContext& context) {
  // Products of floats lose as much by what they do to their sums as a pass of its own takes.
  if (context.config.precision == Precision::kFloat32) return 0;
  return ViewSinker(graph, context).Run();
}

}  // namespace inferd
