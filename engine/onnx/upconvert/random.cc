// Random operators: a seed for those without one, and Dropout before it took its ratio as an input.
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/onnx/upconvert/conversion.h"

namespace inferd {
namespace {

// A number that the node's name and place in the graph decide, the same in every process: FNV-1a.
// 24 bits, which a float holds exactly.
int64_t SeedFor(const OnnxNode& node) {
  uint32_t hash = 2166136261u;
  const ValueId output = node.outputs.empty() ? kNoValue : node.outputs[0];
  for (char c : absl::StrCat(node.name, "#", output)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  return hash >> 8;
}

absl::Status GiveSeed(OnnxNode& node, ConversionContext&) {
  if (!node.attributes.Has("seed")) {
    node.attributes.Set("seed", static_cast<float>(SeedFor(node)));
  }
  return absl::OkStatus();
}

absl::Status GiveTrainingDropoutSeed(OnnxNode& node, ConversionContext&) {
  if (node.has_input(2) && !node.attributes.Has("seed")) {
    node.attributes.Set("seed", SeedFor(node));
  }
  return absl::OkStatus();
}

// Before 7 Dropout was in training mode unless attribute is_test said otherwise; from 7 to 11
// never.
absl::Status ConvertDropoutRatio(OnnxNode& node, ConversionContext& context) {
  if (node.inputs.size() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.inputs.size(), " inputs; opset ", node.version, " takes 1"));
  }
  const bool training = node.version < 7 && node.attributes.Int("is_test", 0) == 0;
  if (training) {
    const float ratio = node.attributes.Float("ratio", 0.5f);
    node.SetInput(1, context.Constant(Tensor::Scalar<float>(ratio)));
    node.SetInput(2, context.Constant(Tensor::Scalar<bool>(true)));
  }
  node.attributes.Erase("ratio");
  if (node.version < 7) node.attributes.Erase("is_test");
  return absl::OkStatus();
}

// Before 10 the mask had the data's type: the node becomes the cast of a mask made before it.
absl::Status CastDropoutMask(OnnxNode& node, ConversionContext& context) {
  if (!node.wants_output(1)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ValueId mask, context.EmitBefore(node, 1));
  node.op_type = "CastLike";
  node.inputs = {mask, node.inputs[0]};
  node.outputs = {node.outputs[1]};
  node.attributes = Attributes();
  return absl::OkStatus();
}

constexpr Conversion kRows[] = {
    {"", "Bernoulli", 1 << 30, GiveSeed},     {"", "Multinomial", 1 << 30, GiveSeed},
    {"", "RandomNormal", 1 << 30, GiveSeed},  {"", "RandomNormalLike", 1 << 30, GiveSeed},
    {"", "RandomUniform", 1 << 30, GiveSeed}, {"", "RandomUniformLike", 1 << 30, GiveSeed},
    {"", "Dropout", 12, ConvertDropoutRatio}, {"", "Dropout", 1 << 30, GiveTrainingDropoutSeed},
    {"", "Dropout", 10, CastDropoutMask},
};

}  // namespace

absl::Span<const Conversion> RandomConversions() { return kRows; }

}  // namespace inferd
