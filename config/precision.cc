#include "config/precision.h"

namespace inferd {

std::optional<Precision> ParsePrecision(absl::string_view text) {
  if (text == "fp32") return Precision::kFloat32;
  if (text == "bf16") return Precision::kBfloat16;
  if (text == "int8") return Precision::kInt8;
  if (text == "auto") return Precision::kAuto;
  return std::nullopt;
}

}  // namespace inferd
