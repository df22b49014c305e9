#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dtype_attribute.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<DType> Target(const Attributes& attributes, DType from) {
  ASSIGN_OR_RETURN(const DType to, ReadDType(attributes, "to", DType::kInvalid));
  const bool text = from == DType::kString || to == DType::kString;
  if (!text && (from == DType::kInvalid || PackedBits(from) == PackedBits(to))) return to;
  return absl::InvalidArgumentError(absl::StrCat(
      "to is ", DTypeName(to), ", whose elements do not have the size of ", DTypeName(from)));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0}));  // that it is a tensor
  ASSIGN_OR_RETURN(const DType to, Target(context.attributes(), context.dtype(0)));
  context.SetOutput(0, to, context.shape(0));
  return absl::OkStatus();
}

// Elements below 8 bits lie in bytes of their own, signed integers with their sign spread.
int8_t SpreadSign(uint8_t bits, int count) {
  const int unused = 8 - count;
  return static_cast<int8_t>(static_cast<int8_t>(bits << unused) >> unused);
}

void CopyNarrow(const Tensor& x, Tensor* y) {
  const int bits = PackedBits(x.dtype());
  const bool is_signed = y->dtype() == DType::kInt4 || y->dtype() == DType::kInt2;
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    const uint8_t element = x.data<uint8_t>()[i] & ((1 << bits) - 1);
    y->mutable_data<uint8_t>()[i] =
        is_signed ? static_cast<uint8_t>(SpreadSign(element, bits)) : element;
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const DType to, Target(context.attributes(), x.dtype()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, to, x.shape()));
  if (PackedBits(to) < 8) {
    CopyNarrow(x, y);
  } else if (to == DType::kBool) {
    // A bool in memory is 0 or 1.
    for (int64_t i = 0; i < x.num_elements(); ++i) {
      y->mutable_data<bool>()[i] = x.data<uint8_t>()[i] != 0;
    }
  } else if (x.num_elements() > 0) {
    std::memcpy(y->mutable_raw(), x.raw(), x.byte_size());
  }
  return absl::OkStatus();
}

}  // namespace

OpDef BitCast() {
  return {.name = "BitCast",
          .since = 26,
          .attributes = {{"to", AttributeKind::kInt, true}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
