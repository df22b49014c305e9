#include "config/precision.h"

namespace inferd {

std::optional<Precision> ParsePrecision(absl::string_view text) {
  if (text == "fp32") return Precision::kFloat32;
  if (text == "bf16") return Precision::kBfloat16;
  if (text == "fp16") return Precision::kFloat16;
  if (text == "int8") return Precision::kInt8;
  if (text == "auto") return Precision::kAuto;
  return std::nullopt;
}

absl::string_view NameOf(Precision precision) {
  switch (precision) {
    case Precision::kFloat32:
      return "fp32";
    case Precision::kBfloat16:
      return "bf16";
    case Precision::kFloat16:
      return "fp16";
    case Precision::kInt8:
      return "int8";
    case Precision::kAuto:
      break;
  }
  return "auto";
}

}  // namespace inferd
