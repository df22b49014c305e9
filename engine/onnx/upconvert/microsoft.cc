// Operators of com.microsoft that the standard has by now.
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

absl::Status UseStandardDomain(OnnxNode& node, ConversionContext&) {
  node.domain.clear();
  return absl::OkStatus();
}

// Values in order of occurrence; outputs values, inverse indices, counts.
absl::Status ConvertUnique(OnnxNode& node, ConversionContext&) {
  if (node.outputs.size() > 3 || !node.attributes.values().empty()) {
    return absl::InvalidArgumentError(absl::StrCat("it has ", node.outputs.size(), " outputs and ",
                                                   node.attributes.values().size(),
                                                   " attributes; expected at most 3, and none"));
  }
  node.domain.clear();
  node.attributes.Set("sorted", int64_t{0});
  if (node.outputs.size() > 1) node.outputs.insert(node.outputs.begin() + 1, kNoValue);
  return absl::OkStatus();
}

// This table comes last: older forms of the standard's operators mean nothing here.
constexpr Conversion kRows[] = {
    // Made for types that the standard's forms did not have yet.
    {"com.microsoft", "QuantizeLinear", 1 << 30, UseStandardDomain},
    {"com.microsoft", "DequantizeLinear", 1 << 30, UseStandardDomain},
    {"com.microsoft", "Pad", 1 << 30, UseStandardDomain},
    {"com.microsoft", "Trilu", 1 << 30, UseStandardDomain},
    {"com.microsoft", "Unique", 1 << 30, ConvertUnique},
};

}  // namespace

absl::Span<const Conversion> MicrosoftConversions() { return kRows; }

}  // namespace inferd
