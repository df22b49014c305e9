// Softmax, LogSoftmax and Hardmax before opset 13 flattened their input to two dimensions at `axis`
// and worked over the second.
#include <optional>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

// The one axis over which the newest form gives the same: the only dimension from `axis` on that
// is not known to be 1. Nothing when there are several, or the rank is not known.
std::optional<int64_t> SingleAxis(const SymbolicShape& shape, int64_t axis) {
  if (axis == -1) return -1;
  if (!shape.has_rank()) return std::nullopt;
  const int first = static_cast<int>(axis < 0 ? axis + shape.rank() : axis);
  if (first < 0 || first >= shape.rank()) return std::nullopt;
  int found = first;
  int candidates = 0;
  for (int i = first; i < shape.rank(); ++i) {
    if (shape[i].Is(1)) continue;
    found = i;
    ++candidates;
  }
  return candidates <= 1 ? std::optional<int64_t>(found) : std::nullopt;
}

absl::Status ConvertSoftmax(OnnxNode& node, ConversionContext& context) {
  if (node.inputs.size() != 1 || !node.has_input(0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected 1"));
  }
  const int64_t axis = node.attributes.Int("axis", 1);
  const ValueId input = node.inputs[0];
  if (const auto single = SingleAxis(context.type(input).shape, axis)) {
    node.attributes.Set("axis", *single);
    return absl::OkStatus();
  }
  Attributes at_axis;
  at_axis.Set("axis", axis);
  Attributes last;
  last.Set("axis", int64_t{-1});
  ASSIGN_OR_RETURN(const ValueId flat, context.Emit("Flatten", {input}, at_axis));
  ASSIGN_OR_RETURN(const ValueId result, context.Emit(node.op_type, {flat}, last));
  ASSIGN_OR_RETURN(const ValueId shape, context.Emit("Shape", {input}));
  node.op_type = "Reshape";
  node.attributes = {};
  // A dimension of size 0 is itself, not a copy of the flattened one.
  node.attributes.Set("allowzero", int64_t{1});
  node.inputs = {result, shape};
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Softmax", 13, ConvertSoftmax},
    {"", "LogSoftmax", 13, ConvertSoftmax},
    {"", "Hardmax", 13, ConvertSoftmax},
};

}  // namespace

absl::Span<const Conversion> SoftmaxConversions() { return kRows; }

}  // namespace inferd
