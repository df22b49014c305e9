#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

// The shape without `axes`, or without every dimension of size 1 when `axes` is null.
absl::StatusOr<SymbolicShape> Squeezed(const SymbolicShape& input,
                                       const std::vector<int64_t>* axes) {
  if (!input.has_rank()) return SymbolicShape::UnknownRank();
  std::vector<bool> dropped(input.rank(), false);
  if (axes != nullptr) {
    ASSIGN_OR_RETURN(const std::vector<int> normalized, NormalizeAxes(*axes, input.rank()));
    for (int axis : normalized) {
      if (input[axis].known() && !input[axis].Is(1)) {
        return absl::InvalidArgumentError(absl::StrCat("cannot squeeze dimension ", axis, " of ",
                                                       input.ToString(), ": its size is not 1"));
      }
      dropped[axis] = true;
    }
  } else {
    for (int i = 0; i < input.rank(); ++i) {
      if (!input[i].known()) return SymbolicShape::UnknownRank();
      dropped[i] = input[i].Is(1);
    }
  }
  std::vector<Dim> dims;
  for (int i = 0; i < input.rank(); ++i) {
    if (!dropped[i]) dims.push_back(input[i]);
  }
  return SymbolicShape(std::move(dims));
}

absl::Status Infer(InferContext& context) {
  const SymbolicShape& input = context.shape(0);
  ASSIGN_OR_RETURN(const auto axes, context.Int64s(1));
  if (context.has_input(1) && !axes) {
    const SymbolicShape& count = context.shape(1);
    const bool known =
        input.has_rank() && count.rank() == 1 && count[0].known() && count[0].value <= input.rank();
    context.SetOutput(0, context.dtype(0),
                      known ? SymbolicShape::OfRank(input.rank() - static_cast<int>(count[0].value))
                            : SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(SymbolicShape shape, Squeezed(input, axes ? &*axes : nullptr));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  std::vector<int64_t> axes;
  if (context.has_input(1)) {
    ASSIGN_OR_RETURN(axes, context.input(1).ToInt64s());
  }
  ASSIGN_OR_RETURN(const SymbolicShape shape,
                   Squeezed(context.input(0).shape(), context.has_input(1) ? &axes : nullptr));
  return CopyAs(context, shape.ToShape());
}

}  // namespace

OpDef Squeeze() {
  return {.name = "Squeeze",
          .since = 25,
          .min_inputs = 1,
          .max_inputs = 2,
          .op_class = OpClass::kView,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
