#include "engine/ops/conv_activation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"

namespace inferd {
namespace {

bool IsKnown(absl::string_view name) {
  return name == "Relu" || name == "Swish" || name == "HardSwish";
}

}  // namespace

absl::StatusOr<ConvActivation> ConvActivation::Read(const Attributes& attributes,
                                                    absl::string_view prefix) {
  ConvActivation result;
  result.name = attributes.String(absl::StrCat(prefix, "activation"), "");
  result.alpha = attributes.Float(absl::StrCat(prefix, "alpha"), 1);
  if (result.name.empty() || IsKnown(result.name)) return result;
  return absl::InvalidArgumentError(absl::StrCat("attribute ", prefix, "activation is ",
                                                 result.name,
                                                 ", expected Relu, Swish, HardSwish or nothing"));
}

std::optional<ConvActivation> ConvActivation::OfEpilogue(const Node& node) {
  if (node.epilogue.empty()) return ConvActivation();
  const EpilogueStep& step = node.epilogue[0];
  if (node.epilogue.size() > 1 || step.operand >= 0 || !step.op->domain.empty() ||
      !IsKnown(step.op->name)) {
    return std::nullopt;
  }
  return ConvActivation{std::string(step.op->name), step.attributes.Float("alpha", 1)};
}

void ConvActivation::WriteTo(Attributes* attributes, absl::string_view prefix) const {
  if (name.empty()) return;
  attributes->Set(absl::StrCat(prefix, "activation"), name);
  if (name == "Swish") attributes->Set(absl::StrCat(prefix, "alpha"), alpha);
}

float ConvActivation::Of(float x) const {
  if (name == "Relu") return std::max(0.0f, x);
  if (name == "Swish") return x / (1 + std::exp(-alpha * x));
  if (name == "HardSwish") return x * std::clamp(x / 6 + 0.5f, 0.0f, 1.0f);
  return x;
}

}  // namespace inferd
