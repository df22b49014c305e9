#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/graph/derived_constant.h"
#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

const Tensor* FloatConstant(const Graph& graph, ValueId value) {
  const Tensor* constant = graph.constant(value);
  return constant != nullptr && constant->dtype() == DType::kFloat32 ? constant : nullptr;
}

// y = x * scale + shift for each column of a product.
struct ColumnAffine {
  std::vector<float> scale;
  std::vector<float> shift;
};

// One number or one for each column; nullopt for anything that varies over rows.
std::optional<std::vector<float>> PerColumn(const Tensor* constant, int64_t columns, int rank) {
  if (constant == nullptr || constant->rank() > rank) return std::nullopt;
  const auto values = constant->values<float>();
  if (values.size() == 1) return std::vector<float>(columns, values[0]);
  if (constant->num_elements() != columns || constant->dim(constant->rank() - 1) != columns) {
    return std::nullopt;
  }
  return std::vector<float>(values.begin(), values.end());
}

std::optional<ColumnAffine> FromBatchNormalization(const Graph& graph, const Node& node,
                                                   int64_t columns) {
  const Tensor* parameters[4];
  for (int i = 0; i < 4; ++i) {
    parameters[i] = FloatConstant(graph, node.inputs[i + 1]);
    if (parameters[i] == nullptr || parameters[i]->num_elements() != columns) return std::nullopt;
  }
  ColumnAffine affine;
  const double epsilon = node.attributes.Float("epsilon", 1e-5f);
  for (int64_t c = 0; c < columns; ++c) {
    const double scale =
        parameters[0]->data<float>()[c] / std::sqrt(parameters[3]->data<float>()[c] + epsilon);
    affine.scale.push_back(static_cast<float>(scale));
    affine.shift.push_back(static_cast<float>(parameters[1]->data<float>()[c] -
                                              parameters[2]->data<float>()[c] * scale));
  }
  return affine;
}

absl::StatusOr<Tensor> ScaledColumns(const Tensor& weights, const std::vector<float>& scale,
                                     bool transposed) {
  const Tensor scales =
      Tensor::FromValues<float>(Shape({static_cast<int64_t>(scale.size())}), scale);
  const auto multiply = [transposed, rows = weights.dim(0), inner = weights.dim(1)](
                            absl::Span<const Tensor> others, void* to) {
    const float* factors = others[0].data<float>();
    float* row = static_cast<float*>(to);
    for (int64_t i = 0; i < rows; ++i, row += inner) {
      for (int64_t j = 0; j < inner; ++j) row[j] *= factors[transposed ? i : j];
    }
    return absl::OkStatus();
  };
  return ChangeConstant(weights, {scales}, transposed ? "scaled rows" : "scaled columns", multiply);
}

// Folds what scales or shifts the columns of a product by constant weights into the weights and
// the bias. Used by one thread at a time.
class ProductFolder {
 public:
  ProductFolder(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), editor_(graph) {}

  absl::StatusOr<int> Run() {
    int changes = 0;
    for (NodeId id = 0; id < graph_.num_nodes(); ++id) {
      const Node& node = graph_.node(id);
      if (node.removed || !node.op->domain.empty() || !node.epilogue.empty()) continue;
      if (node.op->name != "MatMul" && node.op->name != "Gemm") continue;
      ASSIGN_OR_RETURN(const int folded, FoldReaders(id));
      changes += folded;
    }
    return changes;
  }

 private:
  const SymbolicShape& ShapeOf(ValueId value) const { return graph_.value(value).type.shape; }

  // [K, N] float weights of a product without factors of its own; null else.
  const Tensor* Weights(const Node& node, int64_t* columns) const {
    const Tensor* weights = FloatConstant(graph_, node.inputs[1]);
    if (weights == nullptr || weights->rank() != 2) return nullptr;
    const bool transposed = node.attributes.Int("transB", 0) != 0;
    *columns = weights->dim(transposed ? 0 : 1);
    if (node.op->name == "Gemm") {
      if (node.attributes.Float("alpha", 1) != 1 || node.attributes.Float("beta", 1) != 1) {
        return nullptr;
      }
      const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
      if (has_bias && !PerColumn(FloatConstant(graph_, node.inputs[2]), *columns, 1))
        return nullptr;
    }
    return weights;
  }

  std::optional<ColumnAffine> AffineOf(const Node& reader, ValueId y, int64_t columns) const {
    if (!reader.op->domain.empty() || !reader.epilogue.empty()) return std::nullopt;
    const absl::string_view op = reader.op->name;
    const int rank = ShapeOf(y).rank();
    if (op == "BatchNormalization") {
      // Its channels are dimension 1.
      const bool fits = reader.inputs[0] == y && rank == 2 && reader.outputs.size() == 1 &&
                        reader.attributes.Int("training_mode", 0) == 0;
      return fits ? FromBatchNormalization(graph_, reader, columns) : std::nullopt;
    }
    const bool multiplies = op == "Mul" || op == "Div";
    if (!multiplies && op != "Add" && op != "Sub") return std::nullopt;
    if ((op == "Div" || op == "Sub") && reader.inputs[0] != y) return std::nullopt;
    const ValueId other = reader.inputs[reader.inputs[0] == y ? 1 : 0];
    auto values = PerColumn(FloatConstant(graph_, other), columns, rank);
    if (!values) return std::nullopt;
    if (op == "Div") {
      for (float& value : *values) value = 1 / value;
    } else if (op == "Sub") {
      for (float& value : *values) value = -value;
    }
    if (!std::all_of(values->begin(), values->end(), [](float v) { return std::isfinite(v); })) {
      return std::nullopt;
    }
    return multiplies ? ColumnAffine{*std::move(values), std::vector<float>(columns, 0)}
                      : ColumnAffine{std::vector<float>(columns, 1), *std::move(values)};
  }

  // A MatMul has no bias: it takes factors alone, and shifts stay what FuseEpilogues appends.
  absl::StatusOr<int> FoldReaders(NodeId id) {
    int changes = 0;
    while (true) {
      const Node& node = graph_.node(id);
      const ValueId y = node.outputs[0];
      int64_t columns = 0;
      const Tensor* weights = Weights(node, &columns);
      if (weights == nullptr || editor_.Uses(y) != 1 || editor_.Readers(y).empty()) return changes;
      const NodeId reader_id = editor_.Readers(y)[0];
      const Node& reader = graph_.node(reader_id);
      const auto affine = AffineOf(reader, y, columns);
      if (!affine || !ShapeOf(reader.outputs[0]).SameAs(ShapeOf(y))) return changes;
      const bool shifts =
          std::any_of(affine->shift.begin(), affine->shift.end(), [](float v) { return v != 0; });
      if (node.op->name == "MatMul" && shifts) return changes;
      context_.Count(reader.op->name);
      RETURN_IF_ERROR(Apply(id, *weights, *affine));
      editor_.ReplaceUses(reader.outputs[0], y);
      ++changes;
    }
  }

  absl::Status Apply(NodeId id, const Tensor& weights, const ColumnAffine& affine) {
    const Node& node = graph_.node(id);
    const bool transposed = node.attributes.Int("transB", 0) != 0;
    const int64_t columns = static_cast<int64_t>(affine.scale.size());
    const Tensor* old_bias =
        node.inputs.size() > 2 ? FloatConstant(graph_, node.inputs[2]) : nullptr;
    if (node.op->name == "Gemm") {
      auto bias =
          old_bias == nullptr ? std::vector<float>(columns, 0) : *PerColumn(old_bias, columns, 1);
      for (int64_t c = 0; c < columns; ++c) bias[c] = bias[c] * affine.scale[c] + affine.shift[c];
      const ValueId bias_id = editor_.AddConstant(
          Tensor::FromValues<float>(Shape({columns}), absl::MakeConstSpan(bias)));
      if (graph_.node(id).inputs.size() > 2) {
        editor_.SetInput(id, 2, bias_id);
      } else {
        graph_.node(id).inputs.push_back(kNoValue);
        editor_.SetInput(id, 2, bias_id);
      }
    }
    const bool scales =
        std::any_of(affine.scale.begin(), affine.scale.end(), [](float v) { return v != 1; });
    if (!scales) return absl::OkStatus();
    ASSIGN_OR_RETURN(Tensor scaled, ScaledColumns(weights, affine.scale, transposed));
    editor_.SetInput(id, 1, editor_.AddConstant(std::move(scaled)));
    return absl::OkStatus();
  }

  Graph& graph_;
  const PassContext& context_;
  GraphEditor editor_;
};

}  // namespace

absl::StatusOr<int> FoldIntoProduct(Graph& graph, const PassContext& context) {
  return ProductFolder(graph, context).Run();
}

}  // namespace inferd
