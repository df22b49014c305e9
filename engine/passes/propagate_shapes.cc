#include <map>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"
#include "engine/passes/shape_values.h"

namespace inferd {
namespace {

// One walk over a graph. Used by one thread at a time.
class ShapePropagator {
 public:
  ShapePropagator(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), values_(graph), editor_(graph) {}

  absl::StatusOr<int> Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (graph_.node(id).removed) continue;
      RETURN_IF_ERROR(values_.Visit(id));
      if (ReplaceByEqual(id) || MakeTargetConstant(id)) ++changes;
    }
    return changes;
  }

 private:
  static bool AllNumbers(const KnownElements& elements) {
    for (const KnownElement& element : elements) {
      if (!element.is_number()) return false;
    }
    return true;
  }

  // A constant in place of sizes that are numbers, the first of equal sizes in place of others.
  bool ReplaceByEqual(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.outputs.size() != 1 || graph_.constant(node.outputs[0]) != nullptr) return false;
    const ValueId output = node.outputs[0];
    const KnownElements* elements = values_.Find(output);
    const ValueType& type = graph_.value(output).type;
    if (elements == nullptr || type.dtype == DType::kBool || !type.shape.IsConcrete() ||
        type.shape.ToShape().num_elements() != static_cast<int64_t>(elements->size())) {
      return false;
    }
    if (AllNumbers(*elements)) {
      editor_.ReplaceUses(output, editor_.AddConstant(AsTensor(*elements, type)));
      context_.Count("known sizes");
      return true;
    }
    std::vector<int64_t> key = {static_cast<int64_t>(type.dtype), type.shape.rank()};
    for (const KnownElement& element : *elements) {
      if (element.kind == KnownElement::Kind::kUnknown) return false;
      key.push_back(element.is_number() ? 0 : 1);
      key.push_back(element.is_number() ? element.number : element.symbol);
    }
    const auto [first, added] = equal_.try_emplace(std::move(key), output);
    const bool is_gone = graph_.value(first->second).producer == kNoNode;  // read by nothing
    if (added || is_gone) {
      first->second = output;
      return false;
    }
    editor_.ReplaceUses(output, first->second);
    context_.Count("equal sizes");
    return true;
  }

  static Tensor AsTensor(const KnownElements& elements, const ValueType& type) {
    const Shape shape = type.shape.ToShape();
    if (type.dtype == DType::kInt64) {
      std::vector<int64_t> numbers;
      for (const KnownElement& element : elements) numbers.push_back(element.number);
      return Tensor::FromValues<int64_t>(shape, absl::MakeConstSpan(numbers));
    }
    std::vector<int32_t> numbers;
    for (const KnownElement& element : elements) {
      numbers.push_back(static_cast<int32_t>(element.number));
    }
    return Tensor::FromValues<int32_t>(shape, absl::MakeConstSpan(numbers));
  }

  // A Reshape to computed sizes as one to a constant: a number, a copied dimension or, once, what
  // remains.
  bool MakeTargetConstant(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->name != "Reshape" || !node.op->domain.empty() || !node.epilogue.empty() ||
        graph_.constant(node.inputs[1]) != nullptr) {
      return false;
    }
    const KnownElements* elements = values_.Find(node.inputs[1]);
    const SymbolicShape& input = graph_.value(node.inputs[0]).type.shape;
    if (elements == nullptr || !input.has_rank()) return false;
    const bool allow_zero = node.attributes.Int("allowzero", 0) != 0;
    std::vector<int64_t> target;
    int inferred = 0;
    int computed = 0;  // of those, sizes that had a symbol
    bool copies = false;
    for (size_t i = 0; i < elements->size(); ++i) {
      const KnownElement& element = (*elements)[i];
      const bool copied = static_cast<int>(i) < input.rank() &&
                          ((element.is_symbol() && element.ToDim().SameAs(input[i])) ||
                           (element.IsNumber(0) && !allow_zero));
      if (element.is_number() && !copied) {
        if (element.number == 0) return false;
        inferred += element.number == -1 ? 1 : 0;
        target.push_back(element.number);
      } else if (copied) {
        copies = true;
        target.push_back(0);
      } else {
        ++inferred;
        ++computed;
        target.push_back(-1);
      }
    }
    // Beside a dimension that may be 0 a size of -1 would lose what it was.
    if (inferred > 1 || (computed > 0 && copies)) return false;
    const Shape shape({static_cast<int64_t>(target.size())});
    graph_.node(id).attributes.Erase("allowzero");
    editor_.SetInput(
        id, 1,
        editor_.AddConstant(Tensor::FromValues<int64_t>(shape, absl::MakeConstSpan(target))));
    context_.Count("Reshape targets");
    return true;
  }

  Graph& graph_;
  const PassContext& context_;
  ShapeValues values_;
  GraphEditor editor_;
  std::map<std::vector<int64_t>, ValueId> equal_;
};

}  // namespace

absl::StatusOr<int> PropagateShapes(Graph& graph, const PassContext& context) {
  return ShapePropagator(graph, context).Run();
}

}  // namespace inferd
