// BatchNormalization and GroupNormalization.
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/onnx/upconvert/take_attribute.h"

namespace inferd {
namespace {

// Before 9 spatial=0 kept statistics for each element of a row instead of each channel.
absl::Status ConvertSpatial(OnnxNode& node, ConversionContext& context) {
  // Training was asked for by the outputs; the attribute said it once more.
  node.attributes.Erase("is_test");
  ASSIGN_OR_RETURN(const int64_t spatial, Take<int64_t>(node, "spatial", 1));
  if (spatial != 0 || node.inputs.size() != 5 || !node.has_input(1)) return absl::OkStatus();
  const SymbolicShape& scale = context.type(node.inputs[1]).shape;
  if (scale.rank() == 1) return absl::OkStatus();  // X is [N,C]: both are the same
  if (!scale.has_rank() || node.outputs.size() > 1) {
    return absl::UnimplementedError(
        "attribute spatial is 0, which is supported for inference with a scale of known rank");
  }
  const DType dtype = context.type(node.inputs[1]).dtype;
  ASSIGN_OR_RETURN(const float epsilon, Take<float>(node, "epsilon", 1e-5f));
  ASSIGN_OR_RETURN(const ValueId least, context.FloatScalar(dtype, epsilon));
  ASSIGN_OR_RETURN(const ValueId centred, context.Emit("Sub", {node.inputs[0], node.inputs[3]}));
  ASSIGN_OR_RETURN(const ValueId variance, context.Emit("Add", {node.inputs[4], least}));
  ASSIGN_OR_RETURN(const ValueId deviation, context.Emit("Sqrt", {variance}));
  ASSIGN_OR_RETURN(const ValueId normal, context.Emit("Div", {centred, deviation}));
  ASSIGN_OR_RETURN(const ValueId scaled, context.Emit("Mul", {normal, node.inputs[1]}));
  node.op_type = "Add";
  node.attributes = {};
  node.inputs = {scaled, node.inputs[2]};
  return absl::OkStatus();
}

// Before 14 outputs besides Y asked for training mode: mean and variance of the batch. What is
// saved for the backward pass has no newer form.
absl::Status AskForTraining(OnnxNode& node, ConversionContext&) {
  bool training = false;
  for (size_t i = 1; i < node.outputs.size(); ++i) training |= node.wants_output(i);
  if (training) node.attributes.Set("training_mode", int64_t{1});
  if (node.outputs.size() > 3) node.outputs.resize(3);
  return absl::OkStatus();
}

// Before 21 scale and bias had one element a group; now they have one a channel.
absl::Status SpreadGroups(OnnxNode& node, ConversionContext& context) {
  const int64_t groups = node.attributes.Int("num_groups", 0);
  if (node.inputs.size() != 3 || groups <= 0) {
    return absl::InvalidArgumentError("it needs inputs X, scale, bias and num_groups above 0");
  }
  Attributes channel_only;
  channel_only.Set("start", int64_t{1});
  channel_only.Set("end", int64_t{2});
  const ValueId group_count = context.Int64s({groups});
  const ValueId one = context.Int64s({1});
  ASSIGN_OR_RETURN(const ValueId channels, context.Emit("Shape", {node.inputs[0]}, channel_only));
  ASSIGN_OR_RETURN(const ValueId repeats, context.Emit("Div", {channels, group_count}));
  Attributes first_axis;
  first_axis.Set("axis", int64_t{0});
  ASSIGN_OR_RETURN(const ValueId target, context.Emit("Concat", {one, repeats}, first_axis));
  const ValueId all = context.Int64s({-1});
  for (size_t i : {1, 2}) {
    if (!node.has_input(i)) return absl::InvalidArgumentError("scale or bias is absent");
    ASSIGN_OR_RETURN(const ValueId column, context.Emit("Unsqueeze", {node.inputs[i], one}));
    ASSIGN_OR_RETURN(const ValueId spread, context.Emit("Expand", {column, target}));
    ASSIGN_OR_RETURN(node.inputs[i], context.Emit("Reshape", {spread, all}));
  }
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "BatchNormalization", 9, ConvertSpatial},
    {"", "BatchNormalization", 14, AskForTraining},
    {"", "GroupNormalization", 21, SpreadGroups},
};

}  // namespace

absl::Span<const Conversion> NormalizationConversions() { return kRows; }

}  // namespace inferd
