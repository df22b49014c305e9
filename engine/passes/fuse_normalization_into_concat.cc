#include <cmath>
#include <optional>
#include <utility>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/passes/epilogue_operand.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// x * scale + shift, both [C,1,...] so that they broadcast along the channels of a value of `rank`.
struct ScaleShift {
  Tensor scale;
  Tensor shift;
};

absl::StatusOr<std::optional<ScaleShift>> ScaleShiftOf(const Graph& graph, const Node& norm,
                                                       int64_t channels, int rank) {
  const float* parameters[4];
  for (int i = 0; i < 4; ++i) {
    const Tensor* constant = graph.constant(norm.inputs[i + 1]);
    if (constant == nullptr || constant->dtype() != DType::kFloat32 ||
        constant->num_elements() != channels) {
      return std::nullopt;
    }
    parameters[i] = constant->data<float>();
  }
  Shape::Dims dims(rank - 1, 1);
  dims[0] = channels;
  ScaleShift result;
  ASSIGN_OR_RETURN(result.scale, Tensor::Allocate(DType::kFloat32, Shape(dims)));
  ASSIGN_OR_RETURN(result.shift, Tensor::Allocate(DType::kFloat32, Shape(dims)));
  const double epsilon = norm.attributes.Float("epsilon", 1e-5f);
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    result.scale.mutable_data<float>()[c] = static_cast<float>(scale);
    result.shift.mutable_data<float>()[c] =
        static_cast<float>(parameters[1][c] - parameters[2][c] * scale);
  }
  return result;
}

// The channels of a normalization of joined channels that nothing else reads; 0 for other nodes.
int64_t NormalizedChannels(const Graph& graph, const Matcher& matcher, const Node& norm) {
  if (norm.removed || norm.op->name != "BatchNormalization" || !norm.op->domain.empty() ||
      norm.inputs.size() != 5 || norm.outputs.size() != 1 || !norm.epilogue.empty() ||
      norm.attributes.Int("training_mode", 0) != 0) {
    return 0;
  }
  const ValueId x = norm.inputs[0];
  const Node* concat = matcher.Producer(x, "Concat");
  const ValueType& type = graph.value(x).type;
  if (concat == nullptr || matcher.Uses(x) != 1 || type.dtype != DType::kFloat32 ||
      type.shape.rank() < 3 || concat->attributes.Int("axis", 0) != 1) {
    return 0;
  }
  const Dim& channels = type.shape[1];
  return channels.known() ? channels.value : 0;
}

}  // namespace

absl::StatusOr<int> FuseNormalizationIntoConcat(Graph& graph, const PassContext& context) {
  const Matcher matcher(graph);
  int changes = 0;
  const NodeId nodes = graph.num_nodes();
  for (NodeId id = 0; id < nodes; ++id) {
    const int64_t channels = NormalizedChannels(graph, matcher, graph.node(id));
    if (channels == 0) continue;
    const Node norm = graph.node(id);
    const NodeId concat_id = matcher.ProducerId(norm.inputs[0]);
    ASSIGN_OR_RETURN(auto affine, ScaleShiftOf(graph, norm, channels,
                                               graph.value(norm.inputs[0]).type.shape.rank()));
    if (!affine) continue;
    Node fused = graph.node(concat_id);
    const OpRegistry& registry = OpRegistry::Builtin();
    AppendBinaryStep(registry.Get("", "Mul"), graph.AddConstant("", std::move(affine->scale)), {},
                     &fused);
    AppendBinaryStep(registry.Get("", "Add"), graph.AddConstant("", std::move(affine->shift)), {},
                     &fused);
    if (!context.Accelerated(graph, fused, graph.node(concat_id))) continue;
    fused.outputs[0] = norm.outputs[0];
    graph.RemoveNode(id);
    graph.RemoveNode(concat_id);
    graph.AddNode(std::move(fused));
    ++changes;
  }
  return changes;
}

}  // namespace inferd
