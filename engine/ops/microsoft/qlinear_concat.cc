#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dequantized_op.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::microsoft {
namespace {

enum Input { kYScale, kYZero, kFirstPart };

// Each part is a tensor, its scale and its zero point.
absl::StatusOr<DequantizedOp> Definition(int num_inputs) {
  if (num_inputs % 3 != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", num_inputs, " inputs, expected two and three for each part"));
  }
  DequantizedOp definition{
      .op = "Concat", .inputs = {}, .output_scale = kYScale, .output_zero_point = kYZero};
  for (int i = kFirstPart; i < num_inputs; i += 3) definition.inputs.push_back({i, i + 1, i + 2});
  return definition;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DequantizedOp definition, Definition(context.num_inputs()));
  return InferDequantized(context, definition);
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const DequantizedOp definition, Definition(context.num_inputs()));
  return ComputeDequantized(context, definition);
}

}  // namespace

OpDef QlinearConcat() {
  return {.domain = "com.microsoft",
          .name = "QLinearConcat",
          .min_inputs = 5,
          .max_inputs = kVariadic,
          .attributes = {{"axis", AttributeKind::kInt, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::microsoft
