#include "engine/ops/conv_activation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
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

void ConvActivation::ApplyTo(Tensor& y) const {
  float* const values = y.mutable_data<float>();
  for (int64_t i = 0; i < y.num_elements(); ++i) values[i] = Of(values[i]);
}

absl::Status WriteChannelMeans(KernelContext& context, const Tensor& y) {
  Shape shape = y.shape();
  const int64_t plane = shape.Product(2, shape.rank());
  for (int i = 2; i < shape.rank(); ++i) shape[i] = 1;
  ASSIGN_OR_RETURN(Tensor * means, context.Output(1, DType::kFloat32, shape));
  for (int64_t i = 0; i < means->num_elements(); ++i) {
    double sum = 0;
    for (int64_t p = 0; p < plane; ++p) sum += y.data<float>()[i * plane + p];
    means->mutable_data<float>()[i] = static_cast<float>(sum / static_cast<double>(plane));
  }
  return absl::OkStatus();
}

}  // namespace inferd
