#include <cmath>
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/graph/derived_constant.h"
#include "engine/graph/op_def.h"
#include "engine/passes/matcher.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

// y = x * scale + shift for each output channel.
struct ChannelAffine {
  std::vector<float> scale;
  std::vector<float> shift;
};

bool IsFloat(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kFloat32;
}

// The output channels of a Conv or ConvTranspose with float constant weights; nullopt else.
std::optional<int64_t> OutputChannels(const Graph& graph, const Node& conv) {
  const Tensor* weights = graph.constant(conv.inputs[1]);
  if (!IsFloat(weights) || weights->rank() < 3) return std::nullopt;
  if (conv.inputs.size() > 2 && conv.inputs[2] != kNoValue &&
      !IsFloat(graph.constant(conv.inputs[2]))) {
    return std::nullopt;
  }
  const int64_t group = conv.attributes.Int("group", 1);
  return conv.op->name == "Conv" ? weights->dim(0) : weights->dim(1) * group;
}

// Values per channel of a constant shaped [], [1], [C,1,1] or [1,C,1,1] (rank that of the output).
std::optional<std::vector<float>> PerChannel(const Tensor* constant, int64_t channels, int rank) {
  if (!IsFloat(constant)) return std::nullopt;
  const float* data = constant->data<float>();
  if (constant->num_elements() == 1 && constant->rank() <= rank) {
    return std::vector<float>(channels, data[0]);
  }
  const int channel_axis = constant->rank() - rank + 1;
  if (channel_axis < 0 || constant->num_elements() != channels ||
      constant->dim(channel_axis) != channels) {
    return std::nullopt;
  }
  return std::vector<float>(data, data + channels);
}

std::optional<ChannelAffine> FromBatchNormalization(const Graph& graph, const Node& node,
                                                    int64_t channels) {
  const float* parameters[4];
  for (int i = 0; i < 4; ++i) {
    const Tensor* constant = graph.constant(node.inputs[i + 1]);
    if (!IsFloat(constant) || constant->num_elements() != channels) return std::nullopt;
    parameters[i] = constant->data<float>();
  }
  const double epsilon = node.attributes.Float("epsilon", 1e-5f);
  ChannelAffine affine;
  for (int64_t c = 0; c < channels; ++c) {
    const double scale = parameters[0][c] / std::sqrt(parameters[3][c] + epsilon);
    affine.scale.push_back(static_cast<float>(scale));
    affine.shift.push_back(static_cast<float>(parameters[1][c] - parameters[2][c] * scale));
  }
  return affine;
}

// The affine form of `reader`, which reads the convolution's output `x`.
std::optional<ChannelAffine> AffineOf(const Graph& graph, const Node& reader, ValueId x,
                                      int64_t channels, int rank) {
  if (!reader.op->domain.empty() || !reader.epilogue.empty()) return std::nullopt;
  if (reader.op->name == "BatchNormalization") {
    if (reader.inputs[0] != x || reader.attributes.Int("training_mode", 0) != 0)
      return std::nullopt;
    return FromBatchNormalization(graph, reader, channels);
  }
  const bool multiplies = reader.op->name == "Mul";
  if (!multiplies && reader.op->name != "Add") return std::nullopt;
  const ValueId other = reader.inputs[0] == x ? reader.inputs[1] : reader.inputs[0];
  auto values = PerChannel(graph.constant(other), channels, rank);
  if (!values) return std::nullopt;
  ChannelAffine affine;
  affine.scale = multiplies ? *values : std::vector<float>(channels, 1.0f);
  affine.shift = multiplies ? std::vector<float>(channels, 0.0f) : *values;
  return affine;
}

// The scale of each [in, out/group] filter of a ConvTranspose; of a Conv, each row has one.
float ScaleOfFilter(const Tensor& weights, int64_t group, const float* scale, int64_t filter) {
  const int64_t in_per_group = weights.dim(0) / group;
  const int64_t out_per_group = weights.dim(1);
  return scale[filter / out_per_group / in_per_group * out_per_group + filter % out_per_group];
}

void ScaleBlock(const float* from, int64_t count, float scale, float* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = from[i] * scale;
}

absl::StatusOr<Tensor> ScaledWeights(const Node& conv, const Tensor& weights,
                                     const ChannelAffine& affine) {
  const bool transposed = conv.op->name != "Conv";
  const int64_t group = transposed ? conv.attributes.Int("group", 1) : 0;
  const Tensor scales =
      Tensor::FromValues<float>(Shape({static_cast<int64_t>(affine.scale.size())}), affine.scale);
  const auto scale = [=](absl::Span<const Tensor> inputs, void* to) {
    const Tensor& plain = inputs[0];
    const float* factors = inputs[1].data<float>();
    const int64_t blocks = transposed ? plain.dim(0) * plain.dim(1) : plain.dim(0);
    const int64_t block = blocks == 0 ? 0 : plain.num_elements() / blocks;
    for (int64_t i = 0; i < blocks; ++i) {
      ScaleBlock(plain.data<float>() + i * block, block,
                 transposed ? ScaleOfFilter(plain, group, factors, i) : factors[i],
                 static_cast<float*>(to) + i * block);
    }
    return absl::OkStatus();
  };
  return DeriveConstant(DType::kFloat32, weights.shape(), {weights, scales},
                        absl::StrCat("scaled filters of ", group, " groups"), scale);
}

absl::Status Apply(Graph& graph, NodeId conv_id, const ChannelAffine& affine) {
  Node& conv = graph.node(conv_id);
  const int64_t channels = static_cast<int64_t>(affine.scale.size());
  ASSIGN_OR_RETURN(Tensor weights, ScaledWeights(conv, *graph.constant(conv.inputs[1]), affine));
  ASSIGN_OR_RETURN(Tensor bias, Tensor::Allocate(DType::kFloat32, Shape({channels})));
  const Tensor* old_bias = conv.inputs.size() > 2 ? graph.constant(conv.inputs[2]) : nullptr;
  for (int64_t c = 0; c < channels; ++c) {
    const float before = old_bias == nullptr ? 0.0f : old_bias->data<float>()[c];
    bias.mutable_data<float>()[c] = before * affine.scale[c] + affine.shift[c];
  }
  const ValueId weights_id = graph.AddConstant("", std::move(weights));
  const ValueId bias_id = graph.AddConstant("", std::move(bias));
  Node& edited = graph.node(conv_id);
  edited.inputs.resize(3, kNoValue);
  edited.inputs[1] = weights_id;
  edited.inputs[2] = bias_id;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> FoldIntoConvolution(Graph& graph, const PassContext&) {
  int changes = 0;
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    // Again and again on the same convolution: BN after scale after bias.
    while (true) {
      const Node& conv = graph.node(id);
      if (conv.removed || !conv.op->domain.empty() || !conv.epilogue.empty() ||
          (conv.op->name != "Conv" && conv.op->name != "ConvTranspose")) {
        break;
      }
      const Matcher matcher(graph);
      const ValueId x = conv.outputs[0];
      const std::optional<int64_t> channels = OutputChannels(graph, conv);
      if (!channels || matcher.Uses(x) != 1 || matcher.Readers(x).empty()) break;
      const int rank = graph.constant(conv.inputs[1])->rank();
      const NodeId reader_id = matcher.Readers(x)[0];
      const Node& reader = graph.node(reader_id);
      const auto affine = AffineOf(graph, reader, x, *channels, rank);
      if (!affine) break;
      const ValueId result = reader.outputs[0];
      RETURN_IF_ERROR(Apply(graph, id, *affine));
      graph.RemoveNode(reader_id);
      graph.ReplaceUses(result, x);
      ++changes;
    }
  }
  return changes;
}

}  // namespace inferd
