#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_registry.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

Tensor Ints(const std::vector<int64_t>& values) {
  return Tensor::FromValues<int64_t>(Shape({static_cast<int64_t>(values.size())}),
                                     absl::MakeConstSpan(values));
}

bool SwapsTwo(const Node& transpose) {
  const auto& order = transpose.attributes.Ints("perm");
  return order.empty() || (order.size() == 2 && order[0] == 1 && order[1] == 0);
}

// Writes products by the transpose of a matrix as products that read the matrix itself.
// Used by one thread at a time.
class TiedWeights {
 public:
  explicit TiedWeights(Graph& graph) : graph_(graph), editor_(graph) {}

  absl::StatusOr<int> Run() {
    int changes = 0;
    const int nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      if (!IsTiedTranspose(id)) continue;
      // A copy: each replacement takes a reader away.
      const std::vector<NodeId> products = editor_.Readers(graph_.node(id).outputs[0]);
      for (NodeId product : products) RETURN_IF_ERROR(Replace(product, graph_.node(id).inputs[0]));
      ++changes;
    }
    return changes;
  }

 private:
  // The transpose of a large matrix that others read as it is, itself read by products alone.
  bool IsTiedTranspose(NodeId id) const {
    const Node& node = graph_.node(id);
    if (node.removed || !node.op->domain.empty() || node.op->name != "Transpose" ||
        !node.epilogue.empty() || !SwapsTwo(node)) {
      return false;
    }
    const ValueId y = node.outputs[0];
    const Tensor* matrix = graph_.constant(node.inputs[0]);
    if (matrix == nullptr || matrix->recoverable() == nullptr || matrix->rank() != 2 ||
        matrix->dtype() != DType::kFloat32 || editor_.Uses(node.inputs[0]) < 2) {
      return false;
    }
    const std::vector<NodeId>& readers = editor_.Readers(y);
    return !readers.empty() && editor_.Uses(y) == static_cast<int>(readers.size()) &&
           std::all_of(readers.begin(), readers.end(),
                       [&](NodeId reader) { return IsProductBy(y, graph_.node(reader)); });
  }

  bool IsProductBy(ValueId weights, const Node& node) const {
    return node.op->domain.empty() && node.op->name == "MatMul" && node.epilogue.empty() &&
           node.inputs[1] == weights && node.inputs[0] != weights &&
           graph_.value(node.inputs[0]).type.shape.has_rank() &&
           graph_.value(node.inputs[0]).type.shape.rank() >= 2;
  }

  absl::StatusOr<ValueId> Add(absl::string_view op, const std::string& name,
                              std::vector<ValueId> inputs, Attributes attributes = {}) {
    Node node;
    node.name = name;
    node.op = &OpRegistry::Builtin().Get("", op);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    const ValueId output = editor_.Add(std::move(node), ValueType());
    RETURN_IF_ERROR(InferNode(graph_, graph_.value(output).producer));
    return output;
  }

  // The shape of the product of x by `columns` columns, as Reshape takes it.
  absl::StatusOr<ValueId> TargetOf(ValueId x, int64_t columns, const std::string& name) {
    const SymbolicShape& shape = graph_.value(x).type.shape;
    const int last = shape.rank() - 1;
    std::vector<int64_t> target;
    for (int d = 0; d < last; ++d) target.push_back(shape[d].known() ? shape[d].value : -1);
    target.push_back(columns);
    const bool known = std::count(target.begin(), target.end(), -1) <= 1 &&
                       std::count(target.begin(), target.end(), 0) == 0;
    if (known) return editor_.AddConstant(Ints(target));
    Attributes range;
    range.Set("end", int64_t{last});
    ASSIGN_OR_RETURN(const ValueId rows, Add("Shape", name, {x}, std::move(range)));
    Attributes axis;
    axis.Set("axis", int64_t{0});
    return Add("Concat", name, {rows, editor_.AddConstant(Ints({columns}))}, std::move(axis));
  }

  // x * transpose(matrix) with x as a matrix, which Gemm takes.
  absl::Status Replace(NodeId product, ValueId matrix) {
    const ValueId x = graph_.node(product).inputs[0];
    const ValueId y = graph_.node(product).outputs[0];
    const std::string name = graph_.node(product).name;
    const Shape weights = graph_.constant(matrix)->shape();
    const bool flat = graph_.value(x).type.shape.rank() == 2;
    ValueId rows = x;
    if (!flat) {
      const ValueId target = editor_.AddConstant(Ints({-1, weights[1]}));
      ASSIGN_OR_RETURN(rows, Add("Reshape", name, {x, target}));
    }
    Attributes transposed;
    transposed.Set("transB", int64_t{1});
    ASSIGN_OR_RETURN(ValueId result, Add("Gemm", name, {rows, matrix}, std::move(transposed)));
    if (!flat) {
      ASSIGN_OR_RETURN(const ValueId target, TargetOf(x, weights[0], name));
      ASSIGN_OR_RETURN(result, Add("Reshape", name, {result, target}));
      graph_.value(result).type = graph_.value(y).type;
    }
    editor_.ReplaceUses(y, result);
    return absl::OkStatus();
  }

  Graph& graph_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<int> ShareTiedWeights(Graph& graph, const PassContext&) {
  return TiedWeights(graph).Run();
}

}  // namespace inferd
