#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckShapes(const SymbolicShape& a, const SymbolicShape& b) {
  bool equal = !a.has_rank() || !b.has_rank() || a.rank() == b.rank();
  for (int i = 0; equal && a.has_rank() && i < b.rank(); ++i) {
    equal = !a[i].known() || !b[i].known() || a[i].value == b[i].value;
  }
  if (equal) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("A has shape ", a.ToString(), ", B has ", b.ToString(), ", expected one shape"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  RETURN_IF_ERROR(CheckShapes(context.shape(0), context.shape(1)));
  const bool first = context.shape(0).has_rank();
  context.SetOutput(0, context.dtype(0), context.shape(first ? 0 : 1));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckShapes(context.input(0).shape(), context.input(1).shape()));
  return DispatchFloat(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Acc = AccumulatorOf<T>;
    const Acc alpha = static_cast<Acc>(context.attributes().Float("alpha", 1));
    return MapBinary<T, T>(context, [alpha](T gate, T value) {
      const Acc g = static_cast<Acc>(gate);
      return static_cast<T>(g / (1 + std::exp(-alpha * g)) * static_cast<Acc>(value));
    });
  });
}

}  // namespace

OpDef SwiGlu() {
  return {.name = "SwiGLU",
          .since = 28,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"alpha", AttributeKind::kFloat}},
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
