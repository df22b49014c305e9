#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/window.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kIndices, kOutputShape };

absl::Status CheckShapes(const SymbolicShape& x, const SymbolicShape& indices) {
  bool fits = !x.has_rank() || x.rank() >= 3;
  fits = fits && (!x.has_rank() || !indices.has_rank() || x.rank() == indices.rank());
  for (int i = 0; fits && x.has_rank() && i < indices.rank(); ++i) {
    fits = !x[i].known() || !indices[i].known() || x[i].value == indices[i].value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("X has shape ", x.ToString(), ", I has ",
                                                 indices.ToString(),
                                                 ", expected [N,C,spatial...] for both"));
}

// The shape of what was pooled, as the attributes have it. Indices count through it.
absl::StatusOr<SymbolicShape> PooledFrom(const Attributes& attributes, const SymbolicShape& x) {
  const std::vector<int64_t>& kernel = attributes.Ints("kernel_shape");
  const auto spatial = absl::MakeConstSpan(x.dims()).subspan(2);
  if (kernel.size() != spatial.size()) {
    return absl::InvalidArgumentError(absl::StrCat("attribute kernel_shape has ", kernel.size(),
                                                   " values, expected ", spatial.size()));
  }
  ASSIGN_OR_RETURN(
      const Window window,
      ResolveTransposedWindow(attributes, spatial, std::vector<Dim>(kernel.begin(), kernel.end())));
  SymbolicShape shape({x[0], x[1]});
  for (int64_t size : window.output) {
    shape.mutable_dims().push_back(size < 0 ? Dim::Unknown() : Dim(size));
  }
  return shape;
}

absl::Status CheckOutputShape(const std::vector<int64_t>& given, const SymbolicShape& least) {
  bool fits = static_cast<int>(given.size()) == least.rank();
  for (int i = 0; fits && i < least.rank(); ++i) {
    fits = given[i] >= std::max<int64_t>(least[i].value, 0);
  }
  if (fits) return Shape(given).CheckedElements().status();
  return absl::InvalidArgumentError(absl::StrCat("output_shape is ", Shape(given).ToString(),
                                                 ", expected at least ", least.ToString()));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, kX, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckInputType(context, kIndices, {DType::kInt64}));
  RETURN_IF_ERROR(CheckInputType(context, kOutputShape, {DType::kInt64}));
  const SymbolicShape& x = context.shape(kX);
  RETURN_IF_ERROR(CheckShapes(x, context.shape(kIndices)));
  ASSIGN_OR_RETURN(const auto given, context.Int64s(kOutputShape));
  SymbolicShape shape;
  if (x.has_rank()) {
    ASSIGN_OR_RETURN(shape, PooledFrom(context.attributes(), x));
    if (given) RETURN_IF_ERROR(CheckOutputShape(*given, shape));
  }
  if (given) {
    shape = Shape(*given);
  } else if (context.has_input(kOutputShape) && shape.has_rank()) {
    shape = SymbolicShape::OfRank(shape.rank());
  }
  context.SetOutput(0, context.dtype(kX), std::move(shape));
  return absl::OkStatus();
}

// Each element to its place in [.., spatial] of `pooled`, which lies at the start of y.
template <typename T>
absl::Status Scatter(const Tensor& x, const Tensor& indices, const Shape& pooled, Tensor* y) {
  const Shape::Dims inner = pooled.RowMajorStrides();
  const Shape::Dims outer = y->shape().RowMajorStrides();
  const int64_t count = pooled.num_elements();
  for (int64_t i = 0; i < x.num_elements(); ++i) {
    int64_t rest = indices.data<int64_t>()[i];
    if (rest < 0 || rest >= count) {
      return absl::InvalidArgumentError(
          absl::StrCat("I has ", rest, ", outside the unpooled shape ", pooled.ToString()));
    }
    int64_t offset = 0;
    for (int d = 0; d < pooled.rank(); ++d) {
      offset += rest / inner[d] * outer[d];
      rest %= inner[d];
    }
    y->mutable_data<T>()[offset] = x.data<T>()[i];
  }
  return absl::OkStatus();
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  RETURN_IF_ERROR(CheckShapes(x.shape(), context.input(kIndices).shape()));
  ASSIGN_OR_RETURN(const SymbolicShape pooled, PooledFrom(context.attributes(), x.shape()));
  Shape shape = pooled.ToShape();
  if (context.has_input(kOutputShape)) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> given, context.input(kOutputShape).ToInt64s());
    RETURN_IF_ERROR(CheckOutputShape(given, pooled));
    shape = Shape(given);
  }
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(y->mutable_data<T>(), y->num_elements(), T());
    return Scatter<T>(x, context.input(kIndices), pooled.ToShape(), y);
  });
}

}  // namespace

OpDef MaxUnpool() {
  return {.name = "MaxUnpool",
          .since = 22,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"kernel_shape", AttributeKind::kInts, true},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
