#include "engine/ops/sequence.h"

#include "engine/core/status_macros.h"
#include "engine/ops/index_check.h"
#include "engine/ops/view.h"

namespace inferd {

absl::Status CheckSequence(const KernelContext& context, int input) {
  if (context.input(input).kind() == ValueKind::kSequence) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "input ", input, " is ", context.input(input).TypeString(), ", expected a sequence"));
}

absl::StatusOr<int64_t> SequencePosition(const KernelContext& context, int i, int64_t size,
                                         int64_t missing, bool past_end) {
  if (!context.has_input(i)) return missing;
  ASSIGN_OR_RETURN(const int64_t position, OneInteger(context.input(i), "position"));
  const int64_t last = past_end ? size : size - 1;
  if (position < -size || position > last) {
    return absl::InvalidArgumentError(absl::StrCat("position ", position, " is outside [", -size,
                                                   ",", last, "] of a sequence of ", size));
  }
  return position < 0 ? position + size : position;
}

absl::Status SetToCopy(KernelContext& context, const Tensor& value) {
  if (value.kind() != ValueKind::kTensor) return context.SetOutput(0, value);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, value.dtype(), value.shape()));
  CopyElements(value, 0, y, 0, value.num_elements());
  return absl::OkStatus();
}

ValueType ElementType(const ValueType& type) {
  return type.element != nullptr ? *type.element : ValueType();
}

ValueType CommonType(const ValueType& a, const ValueType& b) {
  if (a.kind != b.kind) return ValueType();
  ValueType common = a;
  if (!a.is_tensor()) {
    common.element = std::make_shared<ValueType>(CommonType(ElementType(a), ElementType(b)));
    return common;
  }
  if (common.dtype == DType::kInvalid) common.dtype = b.dtype;
  if (a.shape.rank() != b.shape.rank()) {
    common.shape = SymbolicShape::UnknownRank();
    return common;
  }
  for (int i = 0; i < a.shape.rank(); ++i) {
    if (!a.shape[i].SameAs(b.shape[i])) common.shape[i] = Dim();
  }
  return common;
}

}  // namespace inferd
