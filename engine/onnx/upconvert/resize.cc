// Resize of opsets 10 to 13, and Upsample, which it replaced.
#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/onnx/upconvert/take_attribute.h"

namespace inferd {
namespace {

// What Upsample and Resize-10 did, in Resize's newer attributes.
void SetOldSampling(OnnxNode& node) {
  node.attributes.Set("coordinate_transformation_mode", std::string("asymmetric"));
  node.attributes.Set("nearest_mode", std::string("floor"));
}

absl::Status NameUpsampleScales(OnnxNode& node, ConversionContext&) {
  ASSIGN_OR_RETURN(const float height, TakeRequired<float>(node, "height_scale"));
  ASSIGN_OR_RETURN(const float width, TakeRequired<float>(node, "width_scale"));
  node.attributes.Set("scales", std::vector<float>{1, 1, height, width});
  return absl::OkStatus();
}

absl::Status ConvertUpsampleScales(OnnxNode& node, ConversionContext& context) {
  using Floats = std::vector<float>;
  ASSIGN_OR_RETURN(const Floats scales, TakeRequired<Floats>(node, "scales"));
  if (node.inputs.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected 1"));
  }
  const Shape shape{static_cast<int64_t>(scales.size())};
  node.SetInput(1, context.Constant(Tensor::FromValues<float>(shape, scales)));
  return absl::OkStatus();
}

// X, scales -> X, roi, scales.
absl::Status ConvertTwoInputs(OnnxNode& node, ConversionContext&) {
  if (node.inputs.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; expected X and scales"));
  }
  node.inputs = {node.inputs[0], kNoValue, node.inputs[1]};
  SetOldSampling(node);
  return absl::OkStatus();
}

absl::Status ConvertUpsample(OnnxNode& node, ConversionContext& context) {
  RETURN_IF_ERROR(ConvertTwoInputs(node, context));
  node.op_type = "Resize";
  return absl::OkStatus();
}

// Opset 11 requires roi and scales, which are empty tensors where they mean nothing.
absl::Status DropEmptyInputs(OnnxNode& node, ConversionContext& context) {
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    if (!node.has_input(i)) continue;
    const SymbolicShape& shape = context.type(node.inputs[i]).shape;
    if (shape.IsConcrete() && shape.ToShape().num_elements() == 0) node.inputs[i] = kNoValue;
  }
  const bool reads_roi =
      node.attributes.String("coordinate_transformation_mode", "") == "tf_crop_and_resize";
  if (!reads_roi && node.has_input(1)) node.inputs[1] = kNoValue;
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Resize", 11, ConvertTwoInputs},
    {"", "Resize", 1 << 30, DropEmptyInputs},
    // After Resize's rows: it becomes one, of the newest form.
    {"", "Upsample", 7, NameUpsampleScales},
    {"", "Upsample", 9, ConvertUpsampleScales},
    {"", "Upsample", 1 << 30, ConvertUpsample},
};

}  // namespace

absl::Span<const Conversion> ResizeConversions() { return kRows; }

}  // namespace inferd
