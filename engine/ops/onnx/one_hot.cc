#include <algorithm>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/cast.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

// Indices and depth may be of any numeric type.
absl::StatusOr<std::vector<int64_t>> WholeNumbers(const Tensor& tensor) {
  if (IsInteger(tensor.dtype())) return tensor.ToInt64s();
  ASSIGN_OR_RETURN(Tensor whole, Tensor::Allocate(DType::kInt64, tensor.shape()));
  RETURN_IF_ERROR(CastElements(tensor, &whole));
  return whole.ToInt64s();
}

absl::StatusOr<int64_t> Depth(const Tensor& tensor) {
  ASSIGN_OR_RETURN(const std::vector<int64_t> values, WholeNumbers(tensor));
  if (values.size() != 1 || values[0] < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("depth is ", tensor.TypeString(), ", expected one number, not negative"));
  }
  return values[0];
}

absl::Status Infer(InferContext& context) {
  Dim depth;
  if (context.constant(1) != nullptr) {
    ASSIGN_OR_RETURN(depth, Depth(*context.constant(1)));
  }
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank()) {
    ASSIGN_OR_RETURN(const int axis,
                     NormalizeAxis(context.attributes().Int("axis", -1), shape.rank() + 1));
    shape.mutable_dims().insert(shape.mutable_dims().begin() + axis, depth);
  }
  context.SetOutput(0, context.dtype(2), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& values = context.input(2);
  if (values.num_elements() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("values is ", values.TypeString(), ", expected two elements"));
  }
  ASSIGN_OR_RETURN(const int64_t depth, Depth(context.input(1)));
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices, WholeNumbers(context.input(0)));
  Shape shape = context.input(0).shape();
  ASSIGN_OR_RETURN(const int axis,
                   NormalizeAxis(context.attributes().Int("axis", -1), shape.rank() + 1));
  const int64_t inner = shape.Product(axis, shape.rank());
  shape.insert(axis, depth);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, values.dtype(), shape));
  DispatchStorage(values.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = y->mutable_data<T>();
    std::fill_n(out, y->num_elements(), values.data<T>()[0]);
    for (int64_t i = 0; i < static_cast<int64_t>(indices.size()); ++i) {
      const int64_t index = indices[i] < 0 ? indices[i] + depth : indices[i];
      if (index < 0 || index >= depth) continue;
      out[(i / inner * depth + index) * inner + i % inner] = values.data<T>()[1];
    }
  });
  return absl::OkStatus();
}

}  // namespace

OpDef OneHot() {
  return {.name = "OneHot",
          .since = 28,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
