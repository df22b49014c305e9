// What optimizers of other engines write into the standard domain without being of the standard.
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

absl::Status RenameSimplifiedNormalization(OnnxNode& node, ConversionContext&) {
  node.outputs.resize(1);  // the second, the inverse deviation, is for training
  node.domain = "";
  node.op_type = "RMSNormalization";
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "SimplifiedLayerNormalization", 1 << 30, RenameSimplifiedNormalization},
    {"com.microsoft", "SimplifiedLayerNormalization", 1 << 30, RenameSimplifiedNormalization},
};

}  // namespace

absl::Span<const Conversion> OptimizerConversions() { return kRows; }

}  // namespace inferd
