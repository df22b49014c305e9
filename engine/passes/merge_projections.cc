#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/derived_constant.h"
#include "engine/graph/op_def.h"
#include "engine/ops/strided_attention.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr int kOperands = 3;  // Q, K, V

// A product of rows by a constant matrix, with a constant bias or none, that an attention reads.
struct Projection {
  NodeId node = kNoNode;
  ValueId x = kNoValue;
  const Tensor* weights = nullptr;
  const Tensor* bias = nullptr;
  bool transposed = false;
  int64_t columns = 0;
};

const Tensor* FloatMatrix(const Graph& graph, ValueId value) {
  const Tensor* constant = graph.constant(value);
  const bool fits =
      constant != nullptr && constant->dtype() == DType::kFloat32 && constant->rank() == 2;
  return fits ? constant : nullptr;
}

// One float for each column; null for anything else.
const Tensor* ColumnBias(const Graph& graph, ValueId value, int64_t columns) {
  const Tensor* constant = graph.constant(value);
  const bool fits = constant != nullptr && constant->dtype() == DType::kFloat32 &&
                    constant->rank() >= 1 && constant->num_elements() == columns &&
                    constant->dim(constant->rank() - 1) == columns;
  return fits ? constant : nullptr;
}

// False for a bias or an epilogue that is more than one number a column.
bool ReadBias(const Graph& graph, const Node& node, Projection* projection) {
  ValueId bias = kNoValue;
  if (node.op->name == "Gemm") {
    if (!node.epilogue.empty()) return false;
    if (node.inputs.size() > 2) bias = node.inputs[2];
  } else if (!node.epilogue.empty()) {
    const EpilogueStep& step = node.epilogue[0];
    if (node.epilogue.size() != 1 || step.op->name != "Add" || step.operand < 0) return false;
    bias = node.inputs[step.operand];
  }
  if (bias == kNoValue) return true;
  projection->bias = ColumnBias(graph, bias, projection->columns);
  return projection->bias != nullptr;
}

std::optional<Projection> ReadProjection(const Graph& graph, const Matcher& matcher,
                                         const PassContext& context, ValueId y) {
  const NodeId id = graph.value(y).producer;
  if (id == kNoNode) return std::nullopt;
  const Node& node = graph.node(id);
  const bool gemm = node.op->name == "Gemm";
  if (node.removed || !node.op->domain.empty() || !(gemm || node.op->name == "MatMul") ||
      !context.Accelerated(graph, node)) {
    return std::nullopt;
  }
  if (gemm && (node.attributes.Int("transA", 0) != 0 || node.attributes.Float("alpha", 1) != 1 ||
               node.attributes.Float("beta", 1) != 1)) {
    return std::nullopt;
  }
  Projection projection{.node = id, .x = node.inputs[0]};
  projection.transposed = gemm && node.attributes.Int("transB", 0) != 0;
  projection.weights = FloatMatrix(graph, node.inputs[1]);
  // Weights that others read too would be kept twice.
  if (projection.weights == nullptr || matcher.Uses(node.inputs[1]) != 1) return std::nullopt;
  projection.columns = projection.weights->dim(projection.transposed ? 0 : 1);
  return ReadBias(graph, node, &projection) ? std::optional(projection) : std::nullopt;
}

// Where the operand lies whose rows of `columns` elements become part of rows of `joined`, from
// element `first` on; nullopt when it does not keep to its rows.
std::optional<HeadLayout> InJoinedRows(const HeadLayout& layout, const std::vector<int64_t>& sizes,
                                       int64_t columns, int64_t joined, int64_t first) {
  HeadLayout result = layout;
  int64_t last = layout.offset % columns;  // in its row
  int64_t* const strides[] = {&result.batch, &result.head, &result.row};
  for (int i = 0; i < kOperands; ++i) {
    if (*strides[i] % columns == 0) {
      *strides[i] = *strides[i] / columns * joined;
    } else {
      last += (sizes[i] - 1) * *strides[i];
    }
  }
  if (last + sizes[3] > columns) return std::nullopt;
  result.offset = layout.offset / columns * joined + first + layout.offset % columns;
  return result;
}

absl::StatusOr<Tensor> JoinedWeights(const std::vector<Projection>& projections, int64_t columns) {
  const bool transposed = projections[0].transposed;
  const int64_t depth = projections[0].weights->dim(transposed ? 1 : 0);
  std::vector<Tensor> parts;
  for (const Projection& projection : projections) parts.push_back(*projection.weights);
  // Transposed ones lie row after row of the result, others beside each other.
  const int64_t stretches = transposed ? 1 : depth;
  const auto join = [stretches](absl::Span<const Tensor> inputs, void* to) {
    char* next = static_cast<char*>(to);
    for (int64_t i = 0; i < stretches; ++i) {
      for (const Tensor& input : inputs) {
        const int64_t bytes = input.byte_size() / stretches;
        std::memcpy(next, static_cast<const char*>(input.raw()) + i * bytes, bytes);
        next += bytes;
      }
    }
    return absl::OkStatus();
  };
  return DeriveConstant(DType::kFloat32,
                        transposed ? Shape({columns, depth}) : Shape({depth, columns}),
                        std::move(parts), transposed ? "joined rows" : "joined columns", join);
}

Tensor JoinedBias(const std::vector<Projection>& projections, int64_t columns) {
  std::vector<float> bias;
  for (const Projection& projection : projections) {
    if (projection.bias == nullptr) {
      bias.resize(bias.size() + projection.columns, 0.0f);
    } else {
      const auto values = projection.bias->values<float>();
      bias.insert(bias.end(), values.begin(), values.end());
    }
  }
  return Tensor::FromValues<float>(Shape({columns}), absl::MakeConstSpan(bias));
}

// Merges the projections of one graph. Used by one thread at a time.
class ProjectionMerger {
 public:
  ProjectionMerger(Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), matcher_(graph) {}

  absl::StatusOr<int> Run() {
    int changes = 0;
    const NodeId nodes = graph_.num_nodes();
    for (NodeId id = 0; id < nodes; ++id) {
      const Node& node = graph_.node(id);
      if (node.removed || node.op->domain != "inferd" ||
          (node.op->name != "Attention" && node.op->name != "PackedAttention")) {
        continue;
      }
      ASSIGN_OR_RETURN(const bool merged, Merge(id));
      changes += merged;
    }
    return changes;
  }

 private:
  // The operands of the attention that are products of one value: those of Q with others of its
  // input, else K and V.
  std::vector<int> Siblings(const Node& attention, std::vector<Projection>* projections) const {
    std::optional<Projection> found[kOperands];
    for (int i = 0; i < kOperands; ++i) {
      const ValueId y = attention.inputs[i];
      if (matcher_.Uses(y) == 1) found[i] = ReadProjection(graph_, matcher_, context_, y);
    }
    for (int first = 0; first + 1 < kOperands; ++first) {
      if (!found[first]) continue;
      std::vector<int> operands;
      for (int i = first; i < kOperands; ++i) {
        if (found[i] && SameKind(*found[first], *found[i])) operands.push_back(i);
      }
      if (operands.size() < 2) continue;
      for (int i : operands) projections->push_back(*found[i]);
      return operands;
    }
    return {};
  }

  bool SameKind(const Projection& a, const Projection& b) const {
    return a.x == b.x && a.transposed == b.transposed &&
           graph_.node(a.node).op == graph_.node(b.node).op;
  }

  // The attention with the operands read from rows of `columns`; nullopt where they cannot be.
  static std::optional<StridedAttention> Moved(const Node& node, const std::vector<int>& operands,
                                               const std::vector<Projection>& projections,
                                               int64_t columns) {
    auto attention = StridedAttention::Read(node.attributes);
    if (!attention.ok()) return std::nullopt;
    HeadLayout* const layouts[] = {&attention->q, &attention->k, &attention->v};
    int64_t first = 0;
    for (size_t p = 0; p < operands.size(); ++p) {
      const int i = operands[p];
      const std::vector<int64_t> sizes = {
          attention->batch, i == 0 ? attention->heads : attention->heads / attention->group,
          i == 0 ? attention->queries : attention->keys,
          i == 2 ? attention->width : attention->depth};
      const auto moved = InJoinedRows(*layouts[i], sizes, projections[p].columns, columns, first);
      if (!moved) return std::nullopt;
      *layouts[i] = *moved;
      first += projections[p].columns;
    }
    return *std::move(attention);
  }

  absl::StatusOr<bool> Merge(NodeId id) {
    std::vector<Projection> projections;
    const std::vector<int> operands = Siblings(graph_.node(id), &projections);
    if (operands.empty()) return false;
    int64_t columns = 0;
    for (const Projection& projection : projections) columns += projection.columns;
    Shape shape = graph_.value(graph_.node(id).inputs[operands[0]]).type.shape.ToShape();
    shape[shape.rank() - 1] = columns;
    // The most that attributes of an attention and sizes of a product may be.
    if (shape.num_elements() > std::numeric_limits<int32_t>::max()) return false;
    const auto attention = Moved(graph_.node(id), operands, projections, columns);
    if (!attention) return false;
    ASSIGN_OR_RETURN(Node product, ProductOf(projections, shape));
    Node reader = graph_.node(id);
    for (int i : operands) reader.inputs[i] = product.outputs[0];
    reader.attributes = attention->ToAttributes();
    if (!context_.Accelerated(graph_, product, graph_.node(projections[0].node)) ||
        !context_.RunsAsWell(graph_, reader, graph_.node(id))) {
      return false;
    }
    for (const Projection& projection : projections) graph_.RemoveNode(projection.node);
    graph_.AddNode(std::move(product));
    graph_.node(id) = std::move(reader);
    context_.Count(operands.size() == kOperands ? "Q, K and V" : "two of Q, K, V");
    return true;
  }

  // All projections as one, with its constants and its result, of shape `shape`, in the graph.
  absl::StatusOr<Node> ProductOf(const std::vector<Projection>& projections, const Shape& shape) {
    const int64_t columns = shape[shape.rank() - 1];
    // Before constants are added, which moves those that the projections point to.
    ASSIGN_OR_RETURN(Tensor weights, JoinedWeights(projections, columns));
    const bool has_bias = std::any_of(projections.begin(), projections.end(),
                                      [](const Projection& p) { return p.bias != nullptr; });
    Tensor bias = has_bias ? JoinedBias(projections, columns) : Tensor();
    const Node& first = graph_.node(projections[0].node);
    Node product;
    product.name = first.name;
    product.op = first.op;
    product.attributes = first.attributes;
    product.inputs = {projections[0].x, graph_.AddConstant("", std::move(weights))};
    if (has_bias) product.inputs.push_back(graph_.AddConstant("", std::move(bias)));
    for (const Projection& projection : projections) {
      const Node& node = graph_.node(projection.node);
      if (!has_bias || node.epilogue.empty()) continue;
      product.epilogue = {node.epilogue[0]};
      product.epilogue[0].operand = product.first_epilogue_input = 2;
      break;
    }
    product.outputs = {graph_.AddValue("", ValueType::OfTensor(DType::kFloat32, shape))};
    return product;
  }

  Graph& graph_;
  const PassContext& context_;
  const Matcher matcher_;
};

}  // namespace

absl::StatusOr<int> MergeProjections(Graph& graph, const PassContext& context) {
  return ProjectionMerger(graph, context).Run();
}

}  // namespace inferd
