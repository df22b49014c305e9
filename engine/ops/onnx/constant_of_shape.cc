#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<Tensor> Fill(const Attributes& attributes) {
  const Tensor* value = attributes.TensorOrNull("value");
  if (value == nullptr) return Tensor::Scalar(0.0f);
  if (value->num_elements() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("value is ", value->TypeString(), ", expected one element"));
  }
  return *value;
}

absl::StatusOr<Shape> CheckedShape(const std::vector<int64_t>& dims) {
  const Shape shape(dims);
  RETURN_IF_ERROR(shape.CheckedElements().status());
  return shape;
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Tensor fill, Fill(context.attributes()));
  ASSIGN_OR_RETURN(const auto dims, context.Int64s(0));
  SymbolicShape shape;
  if (dims) {
    ASSIGN_OR_RETURN(shape, CheckedShape(*dims));
  } else if (context.shape(0).rank() == 1 && context.shape(0)[0].known()) {
    shape = SymbolicShape::OfRank(static_cast<int>(context.shape(0)[0].value));
  }
  context.SetOutput(0, fill.dtype(), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  ASSIGN_OR_RETURN(const Tensor fill, Fill(context.attributes()));
  ASSIGN_OR_RETURN(const std::vector<int64_t> dims, context.input(0).ToInt64s());
  ASSIGN_OR_RETURN(const Shape shape, CheckedShape(dims));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, fill.dtype(), shape));
  DispatchStorage(fill.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(y->mutable_data<T>(), y->num_elements(), *fill.data<T>());
  });
  return absl::OkStatus();
}

}  // namespace

OpDef ConstantOfShape() {
  return {.name = "ConstantOfShape",
          .since = 25,
          .attributes = {{"value", AttributeKind::kTensor}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
