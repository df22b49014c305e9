#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

struct RoiSettings {
  int64_t height, width;
  double scale;
};

absl::StatusOr<RoiSettings> ReadSettings(const Attributes& attributes) {
  constexpr int64_t kMost = 1 << 20;
  const std::vector<int64_t>& pooled = attributes.Ints("pooled_shape");
  const bool valid = pooled.size() == 2 && pooled[0] >= 1 && pooled[0] <= kMost && pooled[1] >= 1 &&
                     pooled[1] <= kMost;
  if (!valid) {
    return absl::InvalidArgumentError(absl::StrCat(
        "attribute pooled_shape is ", Shape(pooled).ToString(), ", expected height and width"));
  }
  return RoiSettings{pooled[0], pooled[1], attributes.Float("spatial_scale", 1)};
}

absl::Status CheckShapes(const SymbolicShape& x, const SymbolicShape& rois) {
  const bool fits = (!x.has_rank() || x.rank() == 4) &&
                    (!rois.has_rank() || (rois.rank() == 2 && (!rois[1].known() || rois[1].Is(5))));
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("X ", x.ToString(), ", rois ", rois.ToString(),
                                                 ", expected [N,C,H,W] and [R,5]"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1}));
  ASSIGN_OR_RETURN(const RoiSettings settings, ReadSettings(context.attributes()));
  const SymbolicShape& x = context.shape(0);
  const SymbolicShape& rois = context.shape(1);
  RETURN_IF_ERROR(CheckShapes(x, rois));
  context.SetOutput(
      0, context.dtype(0),
      {rois.has_rank() ? rois[0] : Dim::Unknown(), x.has_rank() ? x[1] : Dim::Unknown(),
       Dim(settings.height), Dim(settings.width)});
  return absl::OkStatus();
}

// Positions [begin, end) of one bin along one axis.
struct Bin {
  int64_t begin, end;
};

// The bins of a region from pixel `first` to pixel `last` along an axis of `size` pixels.
std::vector<Bin> MakeBins(double first, double last, double scale, int64_t count, int64_t size) {
  const double begin = std::round(first * scale);
  const double length = std::max(std::round(last * scale) - begin + 1, 1.0);
  const double step = length / static_cast<double>(count);
  const auto clip = [&](double position) {
    return static_cast<int64_t>(std::clamp(begin + position, 0.0, static_cast<double>(size)));
  };
  std::vector<Bin> bins;
  for (int64_t i = 0; i < count; ++i) {
    bins.push_back({clip(std::floor(static_cast<double>(i) * step)),
                    clip(std::ceil(static_cast<double>(i + 1) * step))});
  }
  return bins;
}

// The largest element of a bin; 0 for a bin without elements.
template <typename T>
T MaximumOf(const T* plane, int64_t width, const Bin& rows, const Bin& columns) {
  if (rows.begin >= rows.end || columns.begin >= columns.end) return T(0);
  T result = plane[rows.begin * width + columns.begin];
  for (int64_t y = rows.begin; y < rows.end; ++y) {
    for (int64_t x = columns.begin; x < columns.end; ++x) {
      result = std::max(result, plane[y * width + x]);
    }
  }
  return result;
}

absl::Status CheckRoi(const double* roi, int64_t images) {
  const bool finite = std::all_of(roi, roi + 5, [](double v) { return std::abs(v) < 1e15; });
  if (finite && roi[0] >= 0 && roi[0] < static_cast<double>(images)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("rois has a region of image ", roi[0], ", X has ",
                                                 images, "; its corners must be finite"));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const RoiSettings settings, ReadSettings(context.attributes()));
  RETURN_IF_ERROR(CheckShapes(x.shape(), context.input(1).shape()));
  const int64_t regions = context.input(1).dim(0), channels = x.dim(1);
  const Shape shape({regions, channels, settings.height, settings.width});
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  ASSIGN_OR_RETURN(const std::vector<double> rois, ToDoubles(context.input(1)));
  return DispatchFloat(x.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T* to = y->mutable_data<T>();
    for (int64_t r = 0; r < regions; ++r) {
      const double* roi = rois.data() + r * 5;
      RETURN_IF_ERROR(CheckRoi(roi, x.dim(0)));
      const auto rows = MakeBins(roi[2], roi[4], settings.scale, settings.height, x.dim(2));
      const auto columns = MakeBins(roi[1], roi[3], settings.scale, settings.width, x.dim(3));
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t plane = static_cast<int64_t>(roi[0]) * channels + c;
        const T* from = x.data<T>() + plane * x.dim(2) * x.dim(3);
        for (const Bin& row : rows) {
          for (const Bin& column : columns) *to++ = MaximumOf(from, x.dim(3), row, column);
        }
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef MaxRoiPool() {
  return {.name = "MaxRoiPool",
          .since = 22,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"pooled_shape", AttributeKind::kInts, true},
                         {"spatial_scale", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
