// Operators and attributes that changed their name, type or default.
#include <cmath>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/name_text.h"
#include "engine/onnx/upconvert/conversion.h"
#include "engine/onnx/upconvert/take_attribute.h"

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

// Before 6 Cast named the type as TensorProto does.
absl::Status ReadTypeName(OnnxNode& node, ConversionContext&) {
  constexpr std::pair<absl::string_view, DType> kNames[] = {
      {"FLOAT", DType::kFloat32}, {"DOUBLE", DType::kFloat64}, {"FLOAT16", DType::kFloat16},
      {"INT8", DType::kInt8},     {"INT16", DType::kInt16},    {"INT32", DType::kInt32},
      {"INT64", DType::kInt64},   {"UINT8", DType::kUint8},    {"UINT16", DType::kUint16},
      {"UINT32", DType::kUint32}, {"UINT64", DType::kUint64},  {"BOOL", DType::kBool},
      {"STRING", DType::kString},
  };
  if (std::get_if<int64_t>(node.attributes.Find("to")) != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string to, TakeRequired<std::string>(node, "to"));
  for (const auto& [name, dtype] : kNames) {
    if (name == absl::AsciiStrToUpper(to)) {
      node.attributes.Set("to", static_cast<int64_t>(dtype));
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("attribute to is ", NameText(to), "; expected a type such as \"FLOAT\""));
}

absl::Status SetConcatAxis(OnnxNode& node, ConversionContext&) {
  if (!node.attributes.Has("axis")) node.attributes.Set("axis", int64_t{1});
  return absl::OkStatus();
}

// Before 6 Selu's defaults had four digits.
absl::Status SetSeluDefaults(OnnxNode& node, ConversionContext&) {
  if (!node.attributes.Has("alpha")) node.attributes.Set("alpha", 1.6732f);
  if (!node.attributes.Has("gamma")) node.attributes.Set("gamma", 1.0507f);
  return absl::OkStatus();
}

absl::Status ConvertNormOrder(OnnxNode& node, ConversionContext&) {
  if (std::get_if<int64_t>(node.attributes.Find("p")) != nullptr) return absl::OkStatus();
  ASSIGN_OR_RETURN(const float p, Take<float>(node, "p", 2.0f));
  if (!(p >= 1 && p <= 1 << 20) || p != std::floor(p)) {
    return absl::UnimplementedError(absl::StrCat("attribute p is ", p,
                                                 ", which is no whole number from 1 on; only such "
                                                 "orders have a newer form"));
  }
  node.attributes.Set("p", static_cast<int64_t>(p));
  return absl::OkStatus();
}

// All outputs are optional since 7. The misspelt direction was GRU-1's default.
absl::Status ConvertRecurrent(OnnxNode& node, ConversionContext&) {
  node.attributes.Erase("output_sequence");
  if (node.attributes.String("direction", "") == "foward") node.attributes.Erase("direction");
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Scatter", 1 << 30, RenameScatter},
    {"", "GridSample", 20, RenameGridSampleMode},
    {"", "RoiAlign", 16, SetRoiAlignMode},
    {"", "Cast", 6, ReadTypeName},
    {"", "Concat", 4, SetConcatAxis},
    {"", "Selu", 6, SetSeluDefaults},
    {"", "LpPool", 2, ConvertNormOrder},
    {"", "GlobalLpPool", 2, ConvertNormOrder},
    {"", "RNN", 7, ConvertRecurrent},
    {"", "GRU", 7, ConvertRecurrent},
    {"", "LSTM", 7, ConvertRecurrent},
};

}  // namespace

absl::Span<const Conversion> RenamedConversions() { return kRows; }

}  // namespace inferd
