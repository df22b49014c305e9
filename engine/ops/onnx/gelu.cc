#include "engine/ops/gelu.h"

#include "absl/strings/str_cat.h"
#include "engine/ops/map_float.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  const std::string approximate = context.attributes().String("approximate", "none");
  if (approximate != "none" && approximate != "tanh") {
    return absl::InvalidArgumentError(absl::StrCat("attribute approximate is \"", approximate,
                                                   "\", expected \"none\" or \"tanh\""));
  }
  return InferSameAsFirst(context);
}

absl::Status Compute(KernelContext& context) {
  if (context.attributes().String("approximate", "none") == "tanh") {
    return MapFloat(context, [](auto x) { return TanhGelu(x); });
  }
  return MapFloat(context, [](auto x) { return inferd::Gelu(x); });
}

}  // namespace

OpDef Gelu() {
  return {.name = "Gelu",
          .since = 20,
          .attributes = {{"approximate", AttributeKind::kString}},
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
