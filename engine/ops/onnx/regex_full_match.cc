#include <string>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/regex.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kString}));
  RETURN_IF_ERROR(Regex::Compile(context.attributes().String("pattern", ""), "pattern").status());
  context.SetOutput(0, DType::kBool, context.shape(0));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const Regex regex,
                   Regex::Compile(context.attributes().String("pattern", ""), "pattern"));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DType::kBool, x.shape()));
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    y->mutable_data<bool>()[i] = regex.MatchesAll(x.data<std::string>()[i]);
  }
  return absl::OkStatus();
}

}  // namespace

OpDef RegexFullMatch() {
  return {.name = "RegexFullMatch",
          .since = 20,
          .attributes = {{"pattern", AttributeKind::kString, true}},
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
