#include <algorithm>
#include <limits>
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/epilogue_operand.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr absl::string_view kUnary[] = {"Relu",      "LeakyRelu",   "Sigmoid", "Tanh", "Elu",
                                        "HardSwish", "HardSigmoid", "Swish",   "Gelu", "Mish"};
constexpr absl::string_view kBinary[] = {"Add", "Mul", "Sub", "Div"};

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// A Clip with constant bounds as a unary step with attributes "min" and "max".
std::optional<EpilogueStep> ClipStep(const Matcher& matcher, const Node& clip) {
  EpilogueStep step;
  step.op = clip.op;
  for (size_t i = 1; i < clip.inputs.size(); ++i) {
    if (clip.inputs[i] == kNoValue) continue;
    const std::optional<double> bound = matcher.Scalar(clip.inputs[i]);
    if (!bound) return std::nullopt;
    step.attributes.Set(i == 1 ? "min" : "max", static_cast<float>(*bound));
  }
  return step;
}

// Whether `norm` normalizes `y` along its innermost dimension and scales each element.
bool NormalizesRows(const Graph& graph, const Node& norm, ValueId y) {
  const SymbolicShape& shape = graph.value(y).type.shape;
  if ((norm.op->name != "LayerNormalization" && norm.op->name != "RMSNormalization") ||
      norm.inputs[0] != y || norm.inputs.size() < 2 || shape.rank() < 1) {
    return false;
  }
  const int64_t axis = norm.attributes.Int("axis", -1);
  const ValueType& scale = graph.value(norm.inputs[1]).type;
  const Dim& columns = shape[shape.rank() - 1];
  return (axis == -1 || axis == shape.rank() - 1) && columns.known() && scale.shape.rank() == 1 &&
         scale.shape[0].known() && scale.shape[0].value == columns.value;
}

// Appends such a normalization: a step that scales, and the Add of the bias if there is one.
void AppendNormalization(const Node& norm, Node* node) {
  AppendBinaryStep(*norm.op, norm.inputs[1], norm.attributes, node);
  if (norm.inputs.size() > 2 && norm.inputs[2] != kNoValue) {
    AppendBinaryStep(OpRegistry::Builtin().Get("", "Add"), norm.inputs[2], {}, node);
  }
}

// `node` with `reader`, which reads its output `y`, appended; nullopt when the shape of reader
// cannot be.
std::optional<Node> WithReader(const Graph& graph, const Matcher& matcher, const Node& node,
                               const Node& reader, ValueId y) {
  if (!reader.op->domain.empty() || !reader.epilogue.empty() || reader.outputs.size() != 1) {
    return std::nullopt;
  }
  const ValueType& before = graph.value(y).type;
  const ValueType& after = graph.value(reader.outputs[0]).type;
  Node fused = node;
  if (reader.op->name == "Clip") {
    auto step = reader.inputs[0] == y ? ClipStep(matcher, reader) : std::nullopt;
    if (!step) return std::nullopt;
    fused.epilogue.push_back(*std::move(step));
  } else if (IsOneOf(reader.op->name, kUnary)) {
    EpilogueStep step;
    step.op = reader.op;
    step.attributes = reader.attributes;
    fused.epilogue.push_back(std::move(step));
  } else if (IsOneOf(reader.op->name, kBinary)) {
    // With y itself as both operands, or a result larger than y, there is no in-place step.
    if (reader.inputs[0] == reader.inputs[1] || before.dtype != after.dtype ||
        !before.shape.SameAs(after.shape)) {
      return std::nullopt;
    }
    const bool operand_first = reader.inputs[1] == y;
    AppendBinaryStep(*reader.op, reader.inputs[operand_first ? 0 : 1], {}, &fused);
    fused.epilogue.back().operand_first = operand_first;
  } else if (NormalizesRows(graph, reader, y)) {
    AppendNormalization(reader, &fused);
  } else {
    return std::nullopt;
  }
  return fused;
}

// Appends readers to node `id` for as long as a provider takes the result. Returns how many.
int AppendReaders(Graph& graph, const PassContext& context, const Matcher& matcher, NodeId id) {
  int changes = 0;
  while (true) {
    const Node& node = graph.node(id);
    const ValueId y = node.outputs[0];
    if (y == kNoValue || graph.value(y).type.dtype != DType::kFloat32 || matcher.Uses(y) != 1 ||
        matcher.Readers(y).empty()) {
      return changes;
    }
    const NodeId reader_id = matcher.Readers(y)[0];
    const Node& reader = graph.node(reader_id);
    if (reader.removed) return changes;
    std::optional<Node> fused = WithReader(graph, matcher, node, reader, y);
    if (!fused || !context.Accelerated(graph, *fused, node)) return changes;
    fused->outputs[0] = reader.outputs[0];
    graph.RemoveNode(reader_id);
    graph.RemoveNode(id);
    graph.node(id) = *std::move(fused);
    graph.node(id).removed = false;
    graph.value(graph.node(id).outputs[0]).producer = id;
    ++changes;
  }
}

}  // namespace

absl::StatusOr<int> FuseEpilogues(Graph& graph, const PassContext& context) {
  int changes = 0;
  // Convolutions and products before elementwise nodes, which would take the same readers.
  for (bool elementwise : {false, true}) {
    const Matcher matcher(graph);
    // Later nodes first, so that a residual Add joins the convolution that ends its branch.
    for (NodeId id = graph.num_nodes() - 1; id >= 0; --id) {
      const Node& node = graph.node(id);
      // A second output could feed the other operand of the reader: that would make a cycle.
      if (node.removed || node.outputs.size() != 1) continue;
      if ((node.op->op_class == OpClass::kElementwise) != elementwise) continue;
      changes += AppendReaders(graph, context, matcher, id);
    }
  }
  return changes;
}

}  // namespace inferd
