// Operators and attribute values that changed their name or their default.
#include <string>

#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

absl::Status RenameScatter(OnnxNode& node, ConversionContext&) {
  node.op_type = "ScatterElements";
  return absl::OkStatus();
}

absl::Status RenameGridSampleMode(OnnxNode& node, ConversionContext&) {
  const std::string mode = node.attributes.String("mode", "bilinear");
  if (mode == "bilinear") node.attributes.Set("mode", std::string("linear"));
  if (mode == "bicubic") node.attributes.Set("mode", std::string("cubic"));
  return absl::OkStatus();
}

// Before 16 RoiAlign had no half-pixel shift.
absl::Status SetRoiAlignMode(OnnxNode& node, ConversionContext&) {
  if (!node.attributes.Has("coordinate_transformation_mode")) {
    node.attributes.Set("coordinate_transformation_mode", std::string("output_half_pixel"));
  }
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Scatter", 1 << 30, RenameScatter},
    {"", "GridSample", 20, RenameGridSampleMode},
    {"", "RoiAlign", 16, SetRoiAlignMode},
};

}  // namespace

absl::Span<const Conversion> RenamedConversions() { return kRows; }

}  // namespace inferd
