// Operators with scalars or lists that became inputs: Slice, Clip, Pad, TopK, DFT.
#include <limits>
#include <variant>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

// The attribute as a T, taken off the node; `missing` when it has none.
template <typename T>
absl::StatusOr<T> Take(OnnxNode& node, absl::string_view name, T missing) {
  const Attributes::Value* value = node.attributes.Find(name);
  if (value == nullptr) return missing;
  const T* typed = std::get_if<T>(value);
  if (typed == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is of type ",
                                                   AttributeKindName(KindOf(*value)), "; expected ",
                                                   AttributeKindName(KindOf(missing))));
  }
  T result = *typed;
  node.attributes.Erase(name);
  return result;
}

template <typename T>
absl::StatusOr<T> TakeRequired(OnnxNode& node, absl::string_view name) {
  if (!node.attributes.Has(name)) {
    return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is missing"));
  }
  return Take<T>(node, name, T());
}

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

absl::Status ConvertDft(OnnxNode& node, ConversionContext& context) {
  ASSIGN_OR_RETURN(const int64_t axis, Take<int64_t>(node, "axis", 1));
  node.SetInput(2, context.Int64Scalar(axis));
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Slice", 10, ConvertSlice}, {"", "Clip", 11, ConvertClip}, {"", "Pad", 11, ConvertPad},
    {"", "TopK", 10, ConvertTopK},   {"", "DFT", 20, ConvertDft},
};

}  // namespace

absl::Span<const Conversion> AttributeToInputConversions() { return kRows; }

}  // namespace inferd
