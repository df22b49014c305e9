#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kRois, kBatchIndices };

struct RoiSettings {
  int64_t height = 1, width = 1, sampling_ratio = 0;
  double spatial_scale = 1;
  bool half_pixel = true;
  bool maximum = false;
};

absl::StatusOr<RoiSettings> ReadSettings(const Attributes& attributes) {
  RoiSettings settings;
  settings.height = attributes.Int("output_height", 1);
  settings.width = attributes.Int("output_width", 1);
  settings.sampling_ratio = attributes.Int("sampling_ratio", 0);
  settings.spatial_scale = attributes.Float("spatial_scale", 1);
  const std::string coordinates = attributes.String("coordinate_transformation_mode", "half_pixel");
  const std::string mode = attributes.String("mode", "avg");
  settings.half_pixel = coordinates == "half_pixel";
  settings.maximum = mode == "max";
  constexpr int64_t kMost = 1 << 20;
  const bool valid = settings.height >= 1 && settings.height <= kMost && settings.width >= 1 &&
                     settings.width <= kMost && settings.sampling_ratio >= 0 &&
                     settings.sampling_ratio <= 1024 && (mode == "avg" || mode == "max") &&
                     (coordinates == "half_pixel" || coordinates == "output_half_pixel");
  if (valid) return settings;
  return absl::InvalidArgumentError(
      absl::StrCat("attributes output_height ", settings.height, ", output_width ", settings.width,
                   ", sampling_ratio ", settings.sampling_ratio, ", mode \"", mode,
                   "\", coordinate_transformation_mode \"", coordinates, "\" are not valid"));
}

absl::Status CheckShapes(const SymbolicShape& x, const SymbolicShape& rois,
                         const SymbolicShape& indices) {
  const bool fits = (!x.has_rank() || x.rank() == 4) && (!rois.has_rank() || rois.rank() == 2) &&
                    (!rois.has_rank() || !rois[1].known() || rois[1].value == 4) &&
                    (!indices.has_rank() || indices.rank() == 1) &&
                    (!rois.has_rank() || !indices.has_rank() || !rois[0].known() ||
                     !indices[0].known() || rois[0].value == indices[0].value);
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("X ", x.ToString(), ", rois ", rois.ToString(),
                                                 ", batch_indices ", indices.ToString(),
                                                 ", expected [N,C,H,W], [R,4], [R]"));
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const RoiSettings settings, ReadSettings(context.attributes()));
  const SymbolicShape& x = context.shape(kX);
  const SymbolicShape& rois = context.shape(kRois);
  RETURN_IF_ERROR(CheckShapes(x, rois, context.shape(kBatchIndices)));
  context.SetOutput(0, context.dtype(kX),
                    SymbolicShape({rois.has_rank() ? rois[0] : Dim::Unknown(),
                                   x.has_rank() ? x[1] : Dim::Unknown(), Dim(settings.height),
                                   Dim(settings.width)}));
  return absl::OkStatus();
}

// Four neighbours of a sample point and their bilinear weights, all zero outside.
struct Sample {
  int64_t offsets[4] = {0, 0, 0, 0};
  double weights[4] = {0, 0, 0, 0};
};

Sample SampleAt(double y, double x, int64_t height, int64_t width) {
  Sample sample;
  if (!(y >= -1 && y <= static_cast<double>(height) && x >= -1 &&
        x <= static_cast<double>(width))) {
    return sample;
  }
  y = std::clamp(y, 0.0, static_cast<double>(height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const int64_t top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
  const double down = y - static_cast<double>(top), across = x - static_cast<double>(left);
  const int64_t offsets[4] = {top * width + left, top * width + right, bottom * width + left,
                              bottom * width + right};
  const double weights[4] = {(1 - down) * (1 - across), (1 - down) * across, down * (1 - across),
                             down * across};
  std::copy(offsets, offsets + 4, sample.offsets);
  std::copy(weights, weights + 4, sample.weights);
  return sample;
}

// The sample points of one region, bin after bin.
struct RoiGrid {
  std::vector<Sample> samples;
  int64_t per_bin = 0;
};

absl::StatusOr<RoiGrid> MakeGrid(const RoiSettings& settings, const double* roi, int64_t height,
                                 int64_t width) {
  const double shift = settings.half_pixel ? 0.5 : 0;
  const double left = roi[0] * settings.spatial_scale - shift;
  const double top = roi[1] * settings.spatial_scale - shift;
  double roi_width = roi[2] * settings.spatial_scale - shift - left;
  double roi_height = roi[3] * settings.spatial_scale - shift - top;
  if (!settings.half_pixel) {
    roi_width = std::max(roi_width, 1.0);
    roi_height = std::max(roi_height, 1.0);
  }
  const double bin_height = roi_height / static_cast<double>(settings.height);
  const double bin_width = roi_width / static_cast<double>(settings.width);
  constexpr double kMostSamples = 1 << 16;
  if (!(std::abs(bin_height) <= kMostSamples && std::abs(bin_width) <= kMostSamples)) {
    return absl::InvalidArgumentError("rois has a region that is too large");
  }
  const int64_t ratio = settings.sampling_ratio;
  const int64_t rows = ratio > 0 ? ratio : std::max<int64_t>(std::ceil(bin_height), 0);
  const int64_t columns = ratio > 0 ? ratio : std::max<int64_t>(std::ceil(bin_width), 0);
  if (settings.height * settings.width * rows * columns > int64_t{1} << 24) {
    return absl::InvalidArgumentError("rois has a region with too many sample points");
  }
  RoiGrid grid;
  grid.per_bin = rows * columns;
  for (int64_t bin = 0; bin < settings.height * settings.width; ++bin) {
    for (int64_t point = 0; point < rows * columns; ++point) {
      const double y = top + bin_height * (static_cast<double>(bin / settings.width) +
                                           (static_cast<double>(point / columns) + 0.5) /
                                               static_cast<double>(rows));
      const double x = left + bin_width * (static_cast<double>(bin % settings.width) +
                                           (static_cast<double>(point % columns) + 0.5) /
                                               static_cast<double>(columns));
      grid.samples.push_back(SampleAt(y, x, height, width));
    }
  }
  return grid;
}

template <typename T>
double PoolBin(const Sample* samples, int64_t count, bool maximum, const T* plane) {
  double result = 0;
  for (int64_t s = 0; s < count; ++s) {
    double values[4];
    for (int k = 0; k < 4; ++k) {
      values[k] = samples[s].weights[k] * static_cast<double>(plane[samples[s].offsets[k]]);
    }
    if (maximum) {
      const double largest = *std::max_element(values, values + 4);
      result = s == 0 ? largest : std::max(result, largest);
    } else {
      result += values[0] + values[1] + values[2] + values[3];
    }
  }
  return maximum ? result : result / static_cast<double>(std::max<int64_t>(count, 1));
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  ASSIGN_OR_RETURN(const RoiSettings settings, ReadSettings(context.attributes()));
  RETURN_IF_ERROR(
      CheckShapes(x.shape(), context.input(kRois).shape(), context.input(kBatchIndices).shape()));
  ASSIGN_OR_RETURN(const std::vector<double> rois, ToDoubles(context.input(kRois)));
  ASSIGN_OR_RETURN(const std::vector<int64_t> images, context.input(kBatchIndices).ToInt64s());
  const int64_t channels = x.dim(1), plane = x.dim(2) * x.dim(3);
  const int64_t bins = settings.height * settings.width;
  const Shape shape(
      {static_cast<int64_t>(images.size()), channels, settings.height, settings.width});
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() > 0 && plane == 0) return absl::InvalidArgumentError("X is empty");
  return DispatchFloat(x.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    T* to = y->mutable_data<T>();
    for (size_t r = 0; r < images.size(); ++r) {
      if (images[r] < 0 || images[r] >= x.dim(0)) {
        return absl::InvalidArgumentError(
            absl::StrCat("batch_indices has ", images[r], ", X has ", x.dim(0), " images"));
      }
      ASSIGN_OR_RETURN(const RoiGrid grid,
                       MakeGrid(settings, rois.data() + r * 4, x.dim(2), x.dim(3)));
      for (int64_t c = 0; c < channels; ++c) {
        const T* from = x.data<T>() + (images[r] * channels + c) * plane;
        for (int64_t bin = 0; bin < bins; ++bin) {
          *to++ = static_cast<T>(PoolBin(grid.samples.data() + bin * grid.per_bin, grid.per_bin,
                                         settings.maximum, from));
        }
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef RoiAlign() {
  return {.name = "RoiAlign",
          .since = 22,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"coordinate_transformation_mode", AttributeKind::kString},
                         {"mode", AttributeKind::kString},
                         {"output_height", AttributeKind::kInt},
                         {"output_width", AttributeKind::kInt},
                         {"sampling_ratio", AttributeKind::kInt},
                         {"spatial_scale", AttributeKind::kFloat}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
