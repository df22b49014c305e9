#include "engine/ops/element_storage.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  if (context.dtype(1) != context.dtype(2) && context.dtype(1) != DType::kInvalid &&
      context.dtype(2) != DType::kInvalid) {
    return absl::InvalidArgumentError(absl::StrCat("the branches have element types ",
                                                   DTypeName(context.dtype(1)), " and ",
                                                   DTypeName(context.dtype(2))));
  }
  ASSIGN_OR_RETURN(SymbolicShape shape, BroadcastShapes(context.shape(1), context.shape(2)));
  ASSIGN_OR_RETURN(shape, BroadcastShapes(context.shape(0), shape));
  context.SetOutput(0, context.dtype(1), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& condition = context.input(0);
  const Tensor& yes = context.input(1);
  const Tensor& no = context.input(2);
  if (condition.dtype() != DType::kBool || yes.dtype() != no.dtype()) {
    return absl::InvalidArgumentError(absl::StrCat("inputs are ", condition.TypeString(), ", ",
                                                   yes.TypeString(), " and ", no.TypeString()));
  }
  ASSIGN_OR_RETURN(Shape shape, BroadcastShapes(yes.shape(), no.shape()));
  ASSIGN_OR_RETURN(shape, BroadcastShapes(condition.shape(), shape));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, yes.dtype(), shape));
  BroadcastWalk<3> walk(shape, {&condition.shape(), &yes.shape(), &no.shape()});
  const int64_t count = shape.num_elements();
  DispatchStorage(yes.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < count; i += walk.row_length(), walk.NextRow()) {
      const bool* choose = condition.data<bool>() + walk.offset(0);
      const T* a = yes.data<T>() + walk.offset(1);
      const T* b = no.data<T>() + walk.offset(2);
      T* out = y->mutable_data<T>() + i;
      for (int64_t k = 0; k < walk.row_length(); ++k) {
        out[k] = choose[k * walk.step(0)] ? a[k * walk.step(1)] : b[k * walk.step(2)];
      }
    }
  });
  return absl::OkStatus();
}

}  // namespace

OpDef Where() {
  return {.name = "Where",
          .since = 16,
          .min_inputs = 3,
          .max_inputs = 3,
          .op_class = OpClass::kElementwise,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
