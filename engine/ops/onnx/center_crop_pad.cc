#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/element_storage.h"
#include "engine/ops/op_def.h"
#include "engine/ops/strided_copy.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::StatusOr<std::vector<int>> ReadAxes(const Attributes& attributes, int rank) {
  if (attributes.Has("axes")) return NormalizeAxes(attributes.Ints("axes"), rank);
  std::vector<int> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

absl::StatusOr<SymbolicShape> Target(const Attributes& attributes, SymbolicShape shape,
                                     const std::vector<int64_t>& sizes) {
  ASSIGN_OR_RETURN(const std::vector<int> axes, ReadAxes(attributes, shape.rank()));
  if (sizes.size() != axes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape has ", sizes.size(), " values for ", axes.size(), " axes"));
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    if (sizes[i] < 0) return absl::InvalidArgumentError(absl::StrCat("shape has ", sizes[i]));
    shape[axes[i]] = sizes[i];
  }
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt32, DType::kInt64}));
  ASSIGN_OR_RETURN(const auto sizes, context.Int64s(1));
  SymbolicShape shape = context.shape(0);
  if (shape.has_rank() && sizes) {
    ASSIGN_OR_RETURN(shape, Target(context.attributes(), std::move(shape), *sizes));
  } else if (shape.has_rank()) {
    ASSIGN_OR_RETURN(const std::vector<int> axes, ReadAxes(context.attributes(), shape.rank()));
    for (int axis : axes) shape[axis] = Dim::Unknown();
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int64_t> sizes, context.input(1).ToInt64s());
  ASSIGN_OR_RETURN(const SymbolicShape target, Target(context.attributes(), x.shape(), sizes));
  const Shape shape = target.ToShape();
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  DispatchStorage(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(y->mutable_data<T>(), y->num_elements(), T());
  });
  // What stays, and where it begins on both sides: an odd element is cut or added at the end.
  StridedBlock source = WholeBlock(x.shape());
  StridedBlock place = WholeBlock(shape);
  Shape kept = shape;
  for (int i = 0; i < x.rank(); ++i) {
    kept[i] = std::min(x.dim(i), shape[i]);
    source.offset += (x.dim(i) - kept[i]) / 2 * source.strides[i];
    place.offset += (shape[i] - kept[i]) / 2 * place.strides[i];
  }
  CopyStrided(kept, x, source, y, place);
  return absl::OkStatus();
}

}  // namespace

OpDef CenterCropPad() {
  return {.name = "CenterCropPad",
          .since = 18,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"axes", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
