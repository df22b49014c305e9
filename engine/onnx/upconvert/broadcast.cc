// Operators that before opset 7 matched a smaller operand at an axis, which they named, instead of
// at the last dimensions.
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/ops/infer_context.h"

namespace inferd {
namespace {

// Input 1 with `count` dimensions of size 1 after its own.
absl::Status AppendDimensions(OnnxNode& node, ConversionContext& context, int rank, int count) {
  if (count <= 0) return absl::OkStatus();
  std::vector<int64_t> axes;
  for (int i = 0; i < count; ++i) axes.push_back(rank + i);
  ASSIGN_OR_RETURN(node.inputs[1],
                   context.Emit("Unsqueeze", {node.inputs[1], context.Int64s(axes)}));
  return absl::OkStatus();
}

absl::Status RequireTwoInputs(const OnnxNode& node) {
  if (node.inputs.size() == 2 && node.has_input(0) && node.has_input(1)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("it has ", node.inputs.size(), " inputs; expected 2"));
}

absl::Status UnknownRank() {
  return absl::UnimplementedError(
      "where its second operand belongs depends on ranks that are not known");
}

// B's first dimension is A's dimension `axis`.
absl::Status ConvertAxis(OnnxNode& node, ConversionContext& context) {
  RETURN_IF_ERROR(RequireTwoInputs(node));
  const bool aligned = node.attributes.Int("broadcast", 0) != 0 && node.attributes.Has("axis");
  const int64_t axis = node.attributes.Int("axis", 0);
  node.attributes.Erase("broadcast");
  node.attributes.Erase("axis");
  if (!aligned) return absl::OkStatus();
  const SymbolicShape& a = context.type(node.inputs[0]).shape;
  const SymbolicShape& b = context.type(node.inputs[1]).shape;
  if (b.has_rank() && b.IsConcrete() && b.ToShape().num_elements() == 1) return absl::OkStatus();
  if (!a.has_rank() || !b.has_rank()) return UnknownRank();
  ASSIGN_OR_RETURN(const int first, NormalizeSplitAxis(axis, a.rank()));
  if (first + b.rank() > a.rank()) {
    return absl::InvalidArgumentError(absl::StrCat("attribute axis is ", axis,
                                                   "; the second operand ", b.ToString(),
                                                   " does not fit into ", a.ToString(), " there"));
  }
  return AppendDimensions(node, context, b.rank(), a.rank() - first - b.rank());
}

// A slope a channel was a vector.
absl::Status ConvertSlope(OnnxNode& node, ConversionContext& context) {
  RETURN_IF_ERROR(RequireTwoInputs(node));
  const SymbolicShape& x = context.type(node.inputs[0]).shape;
  const SymbolicShape& slope = context.type(node.inputs[1]).shape;
  if (slope.has_rank() && (slope.rank() != 1 || slope[0].Is(1))) return absl::OkStatus();
  if (!x.has_rank() || !slope.has_rank()) return UnknownRank();
  return AppendDimensions(node, context, 1, x.rank() - 2);
}

absl::Status DropBroadcast(OnnxNode& node, ConversionContext&) {
  node.attributes.Erase("broadcast");
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Add", 7, ConvertAxis},    {"", "Sub", 7, ConvertAxis},     {"", "Mul", 7, ConvertAxis},
    {"", "Div", 7, ConvertAxis},    {"", "Pow", 7, ConvertAxis},     {"", "And", 7, ConvertAxis},
    {"", "Or", 7, ConvertAxis},     {"", "Xor", 7, ConvertAxis},     {"", "Equal", 7, ConvertAxis},
    {"", "Less", 7, ConvertAxis},   {"", "Greater", 7, ConvertAxis}, {"", "PRelu", 7, ConvertSlope},
    {"", "Gemm", 7, DropBroadcast},
};

}  // namespace

absl::Span<const Conversion> BroadcastConversions() { return kRows; }

}  // namespace inferd
