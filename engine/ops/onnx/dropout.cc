#include <algorithm>

#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/op_def.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  context.SetOutput(0, context.input_type(0));
  context.SetOutput(1, DType::kBool, context.shape(0));
  return absl::OkStatus();
}

absl::StatusOr<double> Ratio(const KernelContext& context) {
  if (!context.has_input(1)) return 0.5;
  const Tensor& ratio = context.input(1);
  if (ratio.num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("ratio is ", ratio.TypeString(), ", expected a scalar"));
  }
  ASSIGN_OR_RETURN(Tensor wide, Tensor::Allocate(DType::kFloat64, Shape()));
  RETURN_IF_ERROR(CastElements(ratio.Reshaped(Shape()), &wide));
  return *wide.data<double>();
}

// Serving never drops: training mode is refused unless it drops nothing.
absl::Status CheckInference(const KernelContext& context) {
  if (!context.has_input(2)) return absl::OkStatus();
  const Tensor& training = context.input(2);
  if (training.dtype() != DType::kBool || training.num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("training_mode is ", training.TypeString(), ", expected one bool"));
  }
  if (!*training.data<bool>()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const double ratio, Ratio(context));
  if (ratio == 0) return absl::OkStatus();
  return absl::UnimplementedError("training_mode is true: only inference is supported");
}

absl::Status Compute(KernelContext& context) {
  RETURN_IF_ERROR(CheckInference(context));
  const Shape& shape = context.input(0).shape();
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * mask, context.Output(1, DType::kBool, shape));
    std::fill_n(mask->mutable_data<bool>(), mask->num_elements(), true);
  }
  return context.wants_output(0) ? CopyAs(context, shape) : absl::OkStatus();
}

}  // namespace

OpDef Dropout() {
  return {.name = "Dropout",
          .since = 22,
          .min_inputs = 1,
          .max_inputs = 3,
          .max_outputs = 2,
          .attributes = {{"seed", AttributeKind::kInt}},
          .op_class = OpClass::kView,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
