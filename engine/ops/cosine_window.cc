#include "engine/ops/cosine_window.h"

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/index_check.h"
#include "engine/ops/type_check.h"

namespace inferd {
namespace {

absl::StatusOr<DType> OutputType(const Attributes& attributes) {
  return ReadDType(attributes, "output_datatype", DType::kFloat32,
                   {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16,
                    DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64, DType::kUint8,
                    DType::kUint16, DType::kUint32, DType::kUint64});
}

absl::StatusOr<int64_t> ReadSize(const Tensor& tensor) {
  ASSIGN_OR_RETURN(const int64_t size, OneInteger(tensor, "size"));
  if (size < 0) return absl::InvalidArgumentError(absl::StrCat("size is ", size));
  RETURN_IF_ERROR(Shape({size}).CheckedElements().status());
  return size;
}

}  // namespace

absl::Status InferCosineWindow(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 0, {DType::kInt32, DType::kInt64}));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  Dim length = Dim::Unknown();
  if (context.constant(0) != nullptr) {
    ASSIGN_OR_RETURN(length, ReadSize(*context.constant(0)));
  }
  context.SetOutput(0, dtype, {length});
  return absl::OkStatus();
}

absl::Status ComputeCosineWindow(KernelContext& context, const CosineWindow& window) {
  ASSIGN_OR_RETURN(const int64_t size, ReadSize(context.input(0)));
  ASSIGN_OR_RETURN(const DType dtype, OutputType(context.attributes()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, dtype, Shape({size})));
  ASSIGN_OR_RETURN(Tensor wide, Tensor::Allocate(DType::kFloat64, Shape({size}), Layout::kRowMajor,
                                                 context.limit_bytes()));
  const bool periodic = context.attributes().Int("periodic", 1) != 0;
  const double period = static_cast<double>(periodic ? size : size - 1);
  double* values = wide.mutable_data<double>();
  for (int64_t n = 0; n < size; ++n) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(n) / period;
    values[n] = window.a0 - window.a1 * std::cos(angle) + window.a2 * std::cos(2 * angle);
  }
  // A symmetric window of one element has no period.
  if (period == 0 && size == 1) values[0] = 1;
  return CastElements(wide, y);
}

OpDef CosineWindowOp(absl::string_view name, absl::Status (*compute)(KernelContext& context)) {
  return {
      .name = name,
      .since = 17,
      .attributes = {{"output_datatype", AttributeKind::kInt}, {"periodic", AttributeKind::kInt}},
      .infer = InferCosineWindow,
      .compute = compute};
}

}  // namespace inferd
