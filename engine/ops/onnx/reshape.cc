#include <cstring>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

// The output shape for target dimensions `target` (0 copies a dimension unless allowzero, -1 is
// what remains).
absl::StatusOr<SymbolicShape> TargetShape(const SymbolicShape& input,
                                          const std::vector<int64_t>& target, bool allow_zero) {
  SymbolicShape output = SymbolicShape::OfRank(static_cast<int>(target.size()));
  int inferred = -1;
  for (int i = 0; i < output.rank(); ++i) {
    if (target[i] == -1) {
      if (inferred >= 0) return absl::InvalidArgumentError("shape has more than one -1");
      inferred = i;
    } else if (target[i] == 0 && !allow_zero) {
      if (input.has_rank() && i >= input.rank()) {
        return absl::InvalidArgumentError(
            absl::StrCat("shape copies dimension ", i, " of an input of rank ", input.rank()));
      }
      if (input.has_rank()) output[i] = input[i];
    } else if (target[i] < 0) {
      return absl::InvalidArgumentError(absl::StrCat("shape has dimension ", target[i]));
    } else {
      output[i] = target[i];
    }
  }
  if (!input.IsConcrete()) return output;
  const int64_t total = input.ToShape().num_elements();
  if (inferred >= 0) {
    output[inferred] = 1;
    int64_t others = 0;
    if (output.IsConcrete()) {
      ASSIGN_OR_RETURN(others, output.ToShape().CheckedElements());
    }
    if (others == 0 ? total != 0 : total % others != 0) {
      return absl::InvalidArgumentError(absl::StrCat("cannot reshape ", input.ToString(), " to ",
                                                     Shape(target).ToString()));
    }
    output[inferred] = others == 0 ? 0 : total / others;
  }
  ASSIGN_OR_RETURN(const int64_t elements, output.ToShape().CheckedElements());
  if (elements != total) {
    return absl::InvalidArgumentError(absl::StrCat("cannot reshape ", input.ToString(), " (", total,
                                                   " elements) to ", output.ToString()));
  }
  return output;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const auto target, context.Int64s(1));
  if (!target) {
    const SymbolicShape& shape = context.shape(1);
    const bool rank_known = shape.rank() == 1 && shape[0].known();
    context.SetOutput(0, context.dtype(0),
                      rank_known ? SymbolicShape::OfRank(static_cast<int>(shape[0].value))
                                 : SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  const bool allow_zero = context.attributes().Int("allowzero", 0) != 0;
  ASSIGN_OR_RETURN(SymbolicShape shape, TargetShape(context.shape(0), *target, allow_zero));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> target, context.input(1).ToInt64s());
  const bool allow_zero = context.attributes().Int("allowzero", 0) != 0;
  ASSIGN_OR_RETURN(const SymbolicShape shape,
                   TargetShape(context.input(0).shape(), target, allow_zero));
  return CopyAs(context, shape.ToShape());
}

}  // namespace

OpDef Reshape() {
  return {.name = "Reshape",
          .since = 25,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"allowzero", AttributeKind::kInt}},
          .op_class = OpClass::kView,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
