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
float ScaleOfFilter(const Shape& weights, int64_t group, const float* scale, int64_t filter) {
  const int64_t in_per_group = weights[0] / group;
  const int64_t out_per_group = weights[1];
  return scale[filter / out_per_group / in_per_group * out_per_group + filter % out_per_group];
}

void ScaleBlock(int64_t count, float scale, float* values) {
  for (int64_t i = 0; i < count; ++i) values[i] *= scale;
}

absl::StatusOr<Tensor> ScaledWeights(const Node& conv, const Tensor& weights,
                                     const ChannelAffine& affine) {
  const bool transposed = conv.op->name != "Conv";
  const int64_t group = transposed ? conv.attributes.Int("group", 1) : 0;
  const Tensor scales =
      Tensor::FromValues<float>(Shape({static_cast<int64_t>(affine.scale.size())}), affine.scale);
  const auto scale = [=, shape = weights.shape()](absl::Span<const Tensor> others, void* to) {
    const float* factors = others[0].data<float>();
    const int64_t blocks = transposed ? shape[0] * shape[1] : shape[0];
    const int64_t block = blocks == 0 ? 0 : shape.num_elements() / blocks;
    for (int64_t i = 0; i < blocks; ++i) {
      ScaleBlock(block, transposed ? ScaleOfFilter(shape, group, factors, i) : factors[i],
                 static_cast<float*>(to) + i * block);
    }
    return absl::OkStatus();
  };
  return ChangeConstant(weights, {scales}, absl::StrCat("scaled filters of ", group, " groups"),
                        scale);
}

absl::Status Apply(GraphEditor& editor, Graph& graph, NodeId conv_id, const ChannelAffine& affine) {
  Node& conv = graph.node(conv_id);
  const int64_t channels = static_cast<int64_t>(affine.scale.size());
  ASSIGN_OR_RETURN(Tensor weights, ScaledWeights(conv, *graph.constant(conv.inputs[1]), affine));
  ASSIGN_OR_RETURN(Tensor bias, Tensor::Allocate(DType::kFloat32, Shape({channels})));
  const Tensor* old_bias = conv.inputs.size() > 2 ? graph.constant(conv.inputs[2]) : nullptr;
  for (int64_t c = 0; c < channels; ++c) {
    const float before = old_bias == nullptr ? 0.0f : old_bias->data<float>()[c];
    bias.mutable_data<float>()[c] = before * affine.scale[c] + affine.shift[c];
  }
  graph.node(conv_id).inputs.resize(3, kNoValue);
  editor.SetInput(conv_id, 1, editor.AddConstant(std::move(weights)));
  editor.SetInput(conv_id, 2, editor.AddConstant(std::move(bias)));
  return absl::OkStatus();
}

bool PadsNothing(const Node& conv) {
  const std::string auto_pad = conv.attributes.String("auto_pad", "NOTSET");
  const auto& pads = conv.attributes.Ints("pads");
  return auto_pad == "VALID" ||
         (auto_pad == "NOTSET" &&
          std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; }));
}

// What the only node before a Conv does to its input channels. A shift must not meet padding,
// which stays 0.
std::optional<ChannelAffine> InputAffine(const Graph& graph, const Matcher& matcher,
                                         const Node& conv, ValueId* source) {
  const Tensor& weights = *graph.constant(conv.inputs[1]);
  const ValueId x = conv.inputs[0];
  const NodeId producer = matcher.ProducerId(x);
  if (conv.op->name != "Conv" || producer == kNoNode || matcher.Uses(x) != 1) return std::nullopt;
  const Node& before = graph.node(producer);
  if (before.outputs.size() != 1 || before.inputs.size() < 2) return std::nullopt;
  const int64_t channels = weights.dim(1) * conv.attributes.Int("group", 1);
  const int constant = graph.constant(before.inputs[0]) != nullptr ? 0 : 1;
  *source = before.inputs[1 - constant];
  if (!graph.value(x).type.shape.SameAs(graph.value(*source).type.shape)) return std::nullopt;
  auto affine = AffineOf(graph, before, *source, channels, weights.rank());
  if (!affine || PadsNothing(conv)) return affine;
  const bool shifts = std::any_of(affine->shift.begin(), affine->shift.end(),
                                  [](float shift) { return shift != 0; });
  return shifts ? std::nullopt : affine;
}

// What the filters [out, in/group, ...] of a Conv of `group` groups make of the input channels.
struct InputFilters {
  // Calls each(out, channel, first element) for every output and each input channel that it reads.
  template <typename Each>
  void ForEach(const Each& each) const {
    const int64_t out_per_group = shape[0] / group;
    const int64_t kernel = shape.Product(2, shape.rank());
    for (int64_t out = 0; out < shape[0]; ++out) {
      for (int64_t in = 0; in < shape[1]; ++in) {
        each(out, out / out_per_group * shape[1] + in, (out * shape[1] + in) * kernel);
      }
    }
  }
  Shape shape;
  int64_t group;
};

absl::StatusOr<Tensor> ShiftedBias(const InputFilters& filters, const Tensor& weights,
                                   const Tensor* old_bias, const ChannelAffine& affine) {
  const int64_t kernel = filters.shape.Product(2, filters.shape.rank());
  std::vector<double> sums(filters.shape[0], 0);
  if (old_bias != nullptr) {
    std::copy_n(old_bias->data<float>(), sums.size(), sums.begin());
  }
  const bool shifts =
      std::any_of(affine.shift.begin(), affine.shift.end(), [](float shift) { return shift != 0; });
  if (shifts) {
    // A copy, since the bytes of the constant itself would stay in memory until all passes are
    // done.
    ASSIGN_OR_RETURN(const Tensor plain, weights.Clone());
    filters.ForEach([&](int64_t out, int64_t channel, int64_t first) {
      for (int64_t k = first; k < first + kernel; ++k) {
        sums[out] += static_cast<double>(plain.data<float>()[k]) * affine.shift[channel];
      }
    });
  }
  const std::vector<float> bias(sums.begin(), sums.end());
  return Tensor::FromValues<float>(Shape({filters.shape[0]}), absl::MakeConstSpan(bias));
}

// conv(x * scale + shift) as a convolution of x.
absl::Status ApplyToInput(GraphEditor& editor, Graph& graph, NodeId conv_id,
                          const ChannelAffine& affine) {
  const Node& conv = graph.node(conv_id);
  const Tensor& weights = *graph.constant(conv.inputs[1]);
  const InputFilters filters{weights.shape(), conv.attributes.Int("group", 1)};
  const Tensor* old_bias = conv.inputs.size() > 2 ? graph.constant(conv.inputs[2]) : nullptr;
  ASSIGN_OR_RETURN(Tensor bias, ShiftedBias(filters, weights, old_bias, affine));
  const Tensor scales =
      Tensor::FromValues<float>(Shape({static_cast<int64_t>(affine.scale.size())}), affine.scale);
  const auto scale = [filters](absl::Span<const Tensor> others, void* to) {
    const float* factors = others[0].data<float>();
    const int64_t kernel = filters.shape.Product(2, filters.shape.rank());
    filters.ForEach([&](int64_t, int64_t channel, int64_t first) {
      ScaleBlock(kernel, factors[channel], static_cast<float*>(to) + first);
    });
    return absl::OkStatus();
  };
  const std::string name = absl::StrCat("scaled inputs of ", filters.group, " groups");
  ASSIGN_OR_RETURN(Tensor scaled, ChangeConstant(weights, {scales}, name, scale));
  graph.node(conv_id).inputs.resize(3, kNoValue);
  editor.SetInput(conv_id, 1, editor.AddConstant(std::move(scaled)));
  editor.SetInput(conv_id, 2, editor.AddConstant(std::move(bias)));
  return absl::OkStatus();
}

// Folds what scales and shifts the input channels of convolution `id` into it.
absl::StatusOr<int> FoldBefore(GraphEditor& editor, Graph& graph, NodeId id,
                               const PassContext& context) {
  const Node& conv = graph.node(id);
  if (conv.removed || !conv.op->domain.empty() || !conv.epilogue.empty() ||
      conv.op->name != "Conv" || !OutputChannels(graph, conv) ||
      conv.attributes.Int("group", 1) < 1 ||
      graph.constant(conv.inputs[1])->dim(0) % conv.attributes.Int("group", 1) != 0) {
    return 0;
  }
  ValueId source = kNoValue;
  const auto affine = InputAffine(graph, editor, conv, &source);
  if (!affine) return 0;
  RETURN_IF_ERROR(ApplyToInput(editor, graph, id, *affine));
  editor.SetInput(id, 0, source);
  context.Count("before");
  return 1;
}

}  // namespace

absl::StatusOr<int> FoldIntoConvolution(Graph& graph, const PassContext& context) {
  int changes = 0;
  GraphEditor editor(graph);
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    ASSIGN_OR_RETURN(const int before, FoldBefore(editor, graph, id, context));
    changes += before;
    // Again and again on the same convolution: BN after scale after bias.
    while (true) {
      const Node& conv = graph.node(id);
      if (conv.removed || !conv.op->domain.empty() || !conv.epilogue.empty() ||
          (conv.op->name != "Conv" && conv.op->name != "ConvTranspose")) {
        break;
      }
      const ValueId x = conv.outputs[0];
      const std::optional<int64_t> channels = OutputChannels(graph, conv);
      if (!channels || editor.Uses(x) != 1 || editor.Readers(x).empty()) break;
      const int rank = graph.constant(conv.inputs[1])->rank();
      const NodeId reader_id = editor.Readers(x)[0];
      const Node& reader = graph.node(reader_id);
      const auto affine = AffineOf(graph, reader, x, *channels, rank);
      if (!affine) break;
      const ValueId result = reader.outputs[0];
      context.Count(reader.op->name);
      RETURN_IF_ERROR(Apply(editor, graph, id, *affine));
      editor.ReplaceUses(result, x);
      ++changes;
    }
  }
  return changes;
}

}  // namespace inferd
