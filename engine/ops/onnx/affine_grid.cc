#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

// The grid's shape: [N,H,W,2] or [N,D,H,W,3].
absl::StatusOr<Shape> GridShape(const std::vector<int64_t>& size, const SymbolicShape& theta) {
  if (size.size() != 4 && size.size() != 5) {
    return absl::InvalidArgumentError(
        absl::StrCat("size has ", size.size(), " values, expected [N,C,H,W] or [N,C,D,H,W]"));
  }
  const int64_t axes = static_cast<int64_t>(size.size()) - 2;
  Shape shape({size[0]});
  for (int64_t i = 0; i < axes; ++i) shape.push_back(size[i + 2]);
  shape.push_back(axes);
  RETURN_IF_ERROR(Annotate(shape.CheckedElements().status(), "size"));
  const int64_t expected[] = {size[0], axes, axes + 1};
  bool fits = !theta.has_rank() || theta.rank() == 3;
  for (int i = 0; fits && i < theta.rank(); ++i) {
    fits = !theta[i].known() || theta[i].value == expected[i];
  }
  if (fits) return shape;
  return absl::InvalidArgumentError(absl::StrCat("theta has shape ", theta.ToString(),
                                                 ", expected ", Shape(expected).ToString()));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, 0, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckInputType(context, 1, {DType::kInt64}));
  ASSIGN_OR_RETURN(const auto size, context.Int64s(1));
  SymbolicShape shape;
  if (size) {
    ASSIGN_OR_RETURN(shape, GridShape(*size, context.shape(0)));
  }
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

// The coordinate of pixel i of `count`: -1 to 1 from corner centre to corner centre, or from edge
// to edge of the corner pixels.
double Coordinate(int64_t i, int64_t count, bool align_corners) {
  const double position = static_cast<double>(i), length = static_cast<double>(count);
  if (!align_corners) return (2 * position + 1) / length - 1;
  return count == 1 ? -1 : 2 * position / (length - 1) - 1;
}

template <typename T>
void FillGrid(const std::vector<double>& theta, bool align_corners, const Shape& shape, T* grid) {
  const int axes = shape.rank() - 2;
  const int64_t pixels = shape.Product(1, axes + 1);
  std::vector<double> point(axes + 1, 1.0);  // x, y (, z), 1
  for (int64_t n = 0; n < shape[0]; ++n) {
    const double* matrix = theta.data() + n * axes * (axes + 1);
    for (int64_t p = 0; p < pixels; ++p) {
      int64_t rest = p;
      for (int a = 0; a < axes; ++a) {
        const int64_t count = shape[axes - a];
        point[a] = Coordinate(rest % count, count, align_corners);
        rest /= count;
      }
      for (int row = 0; row < axes; ++row) {
        double sum = 0;
        for (int a = 0; a <= axes; ++a) sum += matrix[row * (axes + 1) + a] * point[a];
        *grid++ = static_cast<T>(sum);
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& theta = context.input(0);
  ASSIGN_OR_RETURN(const std::vector<int64_t> size, context.input(1).ToInt64s());
  ASSIGN_OR_RETURN(const Shape shape, GridShape(size, theta.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, theta.dtype(), shape));
  ASSIGN_OR_RETURN(const std::vector<double> matrices, ToDoubles(theta));
  const bool align_corners = context.attributes().Int("align_corners", 0) != 0;
  return DispatchFloat(theta.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    FillGrid(matrices, align_corners, shape, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef AffineGrid() {
  return {.name = "AffineGrid",
          .since = 20,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"align_corners", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
