#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"
#include "engine/ops/scatter.h"
#include "engine/ops/strided_copy.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

absl::Status CheckShapes(const Tensor& data, const Tensor& indices, const Tensor& updates,
                         int axis) {
  bool fits = data.rank() == indices.rank() && indices.shape() == updates.shape() &&
              data.dtype() == updates.dtype();
  for (int i = 0; fits && i < data.rank(); ++i) fits = i == axis || indices.dim(i) <= data.dim(i);
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("indices ", indices.TypeString(), " and updates ",
                                                 updates.TypeString(), " do not fit data ",
                                                 data.TypeString(), " along axis ", axis));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& updates = context.input(2);
  ASSIGN_OR_RETURN(const ScatterReduction reduction, ParseScatterReduction(context.attributes()));
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(context.attributes().Int("axis", 0), data.rank()));
  RETURN_IF_ERROR(CheckShapes(data, context.input(1), updates, axis));
  ASSIGN_OR_RETURN(const std::vector<int64_t> indices,
                   CheckedIndices(context.input(1), data.dim(axis)));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, data.dtype(), data.shape()));
  CopyElements(data, 0, y, 0, data.num_elements());
  Shape::Dims strides = data.shape().RowMajorStrides();
  const int64_t axis_stride = strides[axis];
  strides[axis] = 0;
  StridedWalk walk(updates.shape().dims(), strides);
  if (reduction == ScatterReduction::kNone) {
    DispatchStorage(data.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (size_t i = 0; i < indices.size(); ++i, walk.Next()) {
        y->mutable_data<T>()[walk.offset() + indices[i] * axis_stride] = updates.data<T>()[i];
      }
    });
    return absl::OkStatus();
  }
  return WithScatterFunction(data.dtype(), reduction, [&](auto tag, auto fn) {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < indices.size(); ++i, walk.Next()) {
      T& out = y->mutable_data<T>()[walk.offset() + indices[i] * axis_stride];
      out = fn(out, updates.data<T>()[i]);
    }
  });
}

}  // namespace

OpDef ScatterElements() {
  return {.name = "ScatterElements",
          .since = 18,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"axis", AttributeKind::kInt}, {"reduction", AttributeKind::kString}},
          .infer = InferSameAsFirst,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
