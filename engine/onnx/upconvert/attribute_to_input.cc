// Operators with scalars or lists that became inputs: Slice, Clip, Pad, TopK, Reshape,
// DFT.
#include <limits>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/onnx/upconvert/take_attribute.h"

namespace inferd {
namespace {

absl::Status RequireOneInput(const OnnxNode& node) {
  if (node.inputs.size() == 1) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("it has ", node.inputs.size(), " inputs; opset ", node.version, " takes 1"));
}

// The type of scalars that go with the node's first input. Where it cannot be told it is float32,
// which is what models of those opsets have.
DType FirstDType(const OnnxNode& node, const ConversionContext& context) {
  const DType dtype = node.has_input(0) ? context.type(node.inputs[0]).dtype : DType::kInvalid;
  return dtype == DType::kInvalid ? DType::kFloat32 : dtype;
}

absl::Status ConvertSlice(OnnxNode& node, ConversionContext& context) {
  using Ints = std::vector<int64_t>;
  RETURN_IF_ERROR(RequireOneInput(node));
  ASSIGN_OR_RETURN(const Ints starts, TakeRequired<Ints>(node, "starts"));
  ASSIGN_OR_RETURN(const Ints ends, TakeRequired<Ints>(node, "ends"));
  ASSIGN_OR_RETURN(const Ints axes, Take<Ints>(node, "axes", {}));
  node.SetInput(1, context.Int64s(starts));
  node.SetInput(2, context.Int64s(ends));
  if (!axes.empty()) node.SetInput(3, context.Int64s(axes));
  return absl::OkStatus();
}

absl::Status ConvertClip(OnnxNode& node, ConversionContext& context) {
  constexpr float kMax = std::numeric_limits<float>::max();
  RETURN_IF_ERROR(RequireOneInput(node));
  ASSIGN_OR_RETURN(const float min, Take<float>(node, "min", -kMax));
  ASSIGN_OR_RETURN(const float max, Take<float>(node, "max", kMax));
  const DType dtype = FirstDType(node, context);
  if (min > -kMax) {
    ASSIGN_OR_RETURN(const ValueId value, context.FloatScalar(dtype, min));
    node.SetInput(1, value);
  }
  if (max < kMax) {
    ASSIGN_OR_RETURN(const ValueId value, context.FloatScalar(dtype, max));
    node.SetInput(2, value);
  }
  return absl::OkStatus();
}

absl::Status RenamePaddings(OnnxNode& node, ConversionContext&) {
  using Ints = std::vector<int64_t>;
  ASSIGN_OR_RETURN(Ints pads, TakeRequired<Ints>(node, "paddings"));
  node.attributes.Set("pads", std::move(pads));
  return absl::OkStatus();
}

absl::Status ConvertPad(OnnxNode& node, ConversionContext& context) {
  using Ints = std::vector<int64_t>;
  RETURN_IF_ERROR(RequireOneInput(node));
  ASSIGN_OR_RETURN(const Ints pads, TakeRequired<Ints>(node, "pads"));
  ASSIGN_OR_RETURN(const float value, Take<float>(node, "value", 0.0f));
  node.SetInput(1, context.Int64s(pads));
  if (value != 0.0f) {
    ASSIGN_OR_RETURN(const ValueId fill, context.FloatScalar(FirstDType(node, context), value));
    node.SetInput(2, fill);
  }
  return absl::OkStatus();
}

absl::Status ConvertTopK(OnnxNode& node, ConversionContext& context) {
  RETURN_IF_ERROR(RequireOneInput(node));
  ASSIGN_OR_RETURN(const int64_t k, TakeRequired<int64_t>(node, "k"));
  node.SetInput(1, context.Int64s({k}));
  return absl::OkStatus();
}

absl::Status ConvertReshape(OnnxNode& node, ConversionContext& context) {
  using Ints = std::vector<int64_t>;
  RETURN_IF_ERROR(RequireOneInput(node));
  ASSIGN_OR_RETURN(const Ints shape, TakeRequired<Ints>(node, "shape"));
  node.SetInput(1, context.Int64s(shape));
  return absl::OkStatus();
}

// Before 6 Tile repeated along one axis: inputs X, tiles, axis, both scalars of X's type.
absl::Status ConvertTile(OnnxNode& node, ConversionContext& context) {
  if (node.inputs.size() != 3 || !node.has_input(1) || !node.has_input(2)) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected input, tiles and axis"));
  }
  Attributes to_int64;
  to_int64.Set("to", static_cast<int64_t>(DType::kInt64));
  const ValueId zero = context.Int64Scalar(0);
  const ValueId one = context.Int64Scalar(1);
  ASSIGN_OR_RETURN(const ValueId tiles, context.Emit("Cast", {node.inputs[1]}, to_int64));
  ASSIGN_OR_RETURN(const ValueId axis, context.Emit("Cast", {node.inputs[2]}, to_int64));
  ASSIGN_OR_RETURN(const ValueId shape, context.Emit("Shape", {node.inputs[0]}));
  ASSIGN_OR_RETURN(const ValueId rank, context.Emit("Size", {shape}));
  ASSIGN_OR_RETURN(const ValueId axes, context.Emit("Range", {zero, rank, one}));
  ASSIGN_OR_RETURN(const ValueId tiled, context.Emit("Equal", {axes, axis}));
  ASSIGN_OR_RETURN(const ValueId repeats, context.Emit("Where", {tiled, tiles, one}));
  node.inputs = {node.inputs[0], repeats};
  return absl::OkStatus();
}

absl::Status ConvertDft(OnnxNode& node, ConversionContext& context) {
  ASSIGN_OR_RETURN(const int64_t axis, Take<int64_t>(node, "axis", 1));
  node.SetInput(2, context.Int64Scalar(axis));
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Slice", 10, ConvertSlice}, {"", "Clip", 11, ConvertClip},
    {"", "Pad", 2, RenamePaddings},  {"", "Pad", 11, ConvertPad},
    {"", "TopK", 10, ConvertTopK},   {"", "Reshape", 5, ConvertReshape},
    {"", "Tile", 6, ConvertTile},    {"", "DFT", 20, ConvertDft},
};

}  // namespace

absl::Span<const Conversion> AttributeToInputConversions() { return kRows; }

}  // namespace inferd
