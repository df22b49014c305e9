#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/op_def.h"
#include "engine/ops/random_generator.h"
#include "engine/ops/type_check.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kData, kRatio, kTrainingMode };

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kTrainingMode, {DType::kBool}));
  context.SetOutput(0, context.input_type(kData));
  context.SetOutput(1, DType::kBool, context.shape(kData));
  return absl::OkStatus();
}

absl::StatusOr<bool> IsTraining(const KernelContext& context) {
  if (!context.has_input(kTrainingMode)) return false;
  const Tensor& training = context.input(kTrainingMode);
  if (training.dtype() == DType::kBool && training.num_elements() == 1) {
    return *training.data<bool>();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("training_mode is ", training.TypeString(), ", expected one bool"));
}

absl::StatusOr<double> Ratio(const KernelContext& context) {
  if (!context.has_input(kRatio)) return 0.5;
  const Tensor& ratio = context.input(kRatio);
  if (ratio.num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("ratio is ", ratio.TypeString(), ", expected a scalar"));
  }
  ASSIGN_OR_RETURN(Tensor wide, Tensor::Allocate(DType::kFloat64, Shape()));
  RETURN_IF_ERROR(CastElements(ratio.Reshaped(Shape()), &wide));
  const double value = *wide.data<double>();
  if (value >= 0 && value < 1) return value;
  return absl::InvalidArgumentError(absl::StrCat("ratio is ", value, ", expected [0,1)"));
}

// What is kept is scaled, so that the expected sum stays the same.
absl::Status Drop(KernelContext& context, double ratio, const bool* kept) {
  const Tensor& data = context.input(kData);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), data.shape()));
  ASSIGN_OR_RETURN(Tensor wide, Tensor::Allocate(DType::kFloat64, data.shape(), Layout::kRowMajor,
                                                 context.limit_bytes()));
  RETURN_IF_ERROR(CastElements(data, &wide));
  const double scale = 1 / (1 - ratio);
  double* values = wide.mutable_data<double>();
  for (int64_t i = 0; i < wide.num_elements(); ++i) values[i] *= kept[i] ? scale : 0;
  return CastElements(wide, y);
}

absl::Status Compute(KernelContext& context) {
  const Shape& shape = context.input(kData).shape();
  ASSIGN_OR_RETURN(const bool training, IsTraining(context));
  double ratio = 0;
  if (training) {
    ASSIGN_OR_RETURN(ratio, Ratio(context));
  }
  Tensor own_mask;
  Tensor* mask = &own_mask;
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(mask, context.Output(1, DType::kBool, shape));
  } else {
    ASSIGN_OR_RETURN(
        own_mask, Tensor::Allocate(DType::kBool, shape, Layout::kRowMajor, context.limit_bytes()));
  }
  RandomGenerator generator(context.attributes());
  std::generate_n(mask->mutable_data<bool>(), mask->num_elements(),
                  [&] { return ratio == 0 || generator.Uniform() >= ratio; });
  if (!context.wants_output(0)) return absl::OkStatus();
  return ratio == 0 ? CopyAs(context, shape) : Drop(context, ratio, mask->data<bool>());
}

}  // namespace

OpDef Dropout() {
  return {.name = "Dropout",
          .since = 22,
          .min_inputs = 1,
          .max_inputs = 3,
          .max_outputs = 2,
          .attributes = {{"seed", AttributeKind::kInt}},
          .deterministic = false,
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
