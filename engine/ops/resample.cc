#include "engine/ops/resample.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

template <typename Enum>
struct NamedValue {
  absl::string_view name;
  Enum value;
};

template <typename Enum>
absl::StatusOr<Enum> ReadNamed(const Attributes& attributes, absl::string_view name,
                               absl::string_view missing,
                               absl::Span<const NamedValue<Enum>> values) {
  const std::string text = attributes.String(name, missing);
  for (const NamedValue<Enum>& value : values) {
    if (value.name == text) return value.value;
  }
  return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is \"", text, "\""));
}

constexpr NamedValue<ResampleMode> kModes[] = {{"nearest", ResampleMode::kNearest},
                                               {"linear", ResampleMode::kLinear},
                                               {"cubic", ResampleMode::kCubic}};
constexpr NamedValue<NearestRounding> kRoundings[] = {
    {"round_prefer_floor", NearestRounding::kPreferFloor},
    {"round_prefer_ceil", NearestRounding::kPreferCeil},
    {"floor", NearestRounding::kFloor},
    {"ceil", NearestRounding::kCeil}};
constexpr NamedValue<ResampleCoordinates> kCoordinates[] = {
    {"half_pixel", ResampleCoordinates::kHalfPixel},
    {"half_pixel_symmetric", ResampleCoordinates::kHalfPixelSymmetric},
    {"pytorch_half_pixel", ResampleCoordinates::kPytorchHalfPixel},
    {"align_corners", ResampleCoordinates::kAlignCorners},
    {"asymmetric", ResampleCoordinates::kAsymmetric},
    {"tf_crop_and_resize", ResampleCoordinates::kCropAndResize},
    {"tf_half_pixel_for_nn", ResampleCoordinates::kHalfPixelUnshifted}};

// The input position of output position j. Single precision, as other engines compute it, so that
// nearest neighbours agree at ties.
float SourcePosition(ResampleCoordinates coordinates, const ResampleAxis& axis, int64_t j) {
  const float x = static_cast<float>(j);
  const float input = static_cast<float>(axis.input);
  switch (coordinates) {
    case ResampleCoordinates::kHalfPixel:
      return (x + 0.5f) / axis.scale - 0.5f;
    case ResampleCoordinates::kHalfPixelSymmetric: {
      const float adjustment = static_cast<float>(axis.output) / axis.output_length;
      return input / 2 * (1 - adjustment) + (x + 0.5f) / axis.scale - 0.5f;
    }
    case ResampleCoordinates::kPytorchHalfPixel:
      return axis.output == 1 ? -0.5f : (x + 0.5f) / axis.scale - 0.5f;
    case ResampleCoordinates::kAlignCorners:
      return axis.output == 1 ? 0 : x * (input - 1) / (axis.output_length - 1);
    case ResampleCoordinates::kAsymmetric:
      return x / axis.scale;
    case ResampleCoordinates::kCropAndResize: {
      const float extent = (axis.roi_end - axis.roi_begin) * (input - 1);
      const float start = axis.roi_begin * (input - 1);
      if (axis.output == 1) return start + extent / 2;
      return start + x * extent / (axis.output_length - 1);
    }
    case ResampleCoordinates::kHalfPixelUnshifted:
      return (x + 0.5f) / axis.scale;
  }
  return 0;
}

int64_t NearestPosition(NearestRounding rounding, float x) {
  const float floor = std::floor(x);
  const float fraction = x - floor;
  const bool up =
      fraction != 0 && (rounding == NearestRounding::kCeil ||
                        (rounding == NearestRounding::kPreferFloor && fraction > 0.5f) ||
                        (rounding == NearestRounding::kPreferCeil && fraction >= 0.5f));
  return static_cast<int64_t>(floor) + (up ? 1 : 0);
}

// Keys' cubic convolution kernel, or the triangle, at distance x.
double KernelAt(const ResampleSettings& settings, double x) {
  x = std::abs(x);
  if (settings.mode == ResampleMode::kLinear) return std::max(0.0, 1 - x);
  const double a = settings.cubic_coefficient;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

void AddWeights(const ResampleSettings& settings, const ResampleAxis& axis, double x,
                ResampleTable* table) {
  const double shrink = settings.antialias && axis.scale < 1 ? static_cast<double>(axis.scale) : 1;
  const double radius = (settings.mode == ResampleMode::kLinear ? 1 : 2) / shrink;
  const size_t first = table->weights.size();
  double sum = 0;
  const int64_t end = static_cast<int64_t>(std::ceil(x + radius));
  for (int64_t p = static_cast<int64_t>(std::floor(x - radius)) + 1; p < end; ++p) {
    const bool outside = p < 0 || p >= axis.input;
    if (outside && settings.exclude_outside) continue;
    const double weight = KernelAt(settings, (static_cast<double>(p) - x) * shrink);
    if (weight == 0) continue;
    table->positions.push_back(std::clamp<int64_t>(p, 0, axis.input - 1));
    table->weights.push_back(weight);
    sum += weight;
  }
  if (!settings.antialias && !settings.exclude_outside) return;
  for (size_t i = first; sum != 0 && i < table->weights.size(); ++i) table->weights[i] /= sum;
}

}  // namespace

absl::StatusOr<ResampleSettings> ReadResampleSettings(const Attributes& attributes) {
  ResampleSettings settings;
  ASSIGN_OR_RETURN(settings.mode, ReadNamed<ResampleMode>(attributes, "mode", "nearest", kModes));
  ASSIGN_OR_RETURN(settings.rounding, ReadNamed<NearestRounding>(attributes, "nearest_mode",
                                                                 "round_prefer_floor", kRoundings));
  ASSIGN_OR_RETURN(settings.coordinates,
                   ReadNamed<ResampleCoordinates>(attributes, "coordinate_transformation_mode",
                                                  "half_pixel", kCoordinates));
  settings.cubic_coefficient = attributes.Float("cubic_coeff_a", -0.75f);
  settings.exclude_outside = attributes.Int("exclude_outside", 0) != 0;
  settings.antialias = attributes.Int("antialias", 0) != 0;
  return settings;
}

ResampleTable MakeResampleTable(const ResampleSettings& settings, const ResampleAxis& axis) {
  ResampleTable table;
  table.begins.push_back(0);
  const float last = static_cast<float>(axis.input - 1);
  for (int64_t j = 0; j < axis.output; ++j) {
    const float x = SourcePosition(settings.coordinates, axis, j);
    const bool outside =
        settings.coordinates == ResampleCoordinates::kCropAndResize && !(x >= 0 && x <= last);
    if (!outside && settings.mode == ResampleMode::kNearest) {
      const float bounded = std::clamp(x, -1.0f, last + 1);
      table.positions.push_back(
          std::clamp<int64_t>(NearestPosition(settings.rounding, bounded), 0, axis.input - 1));
      table.weights.push_back(1);
    } else if (!outside) {
      // Far outside all weights fall on the edge.
      AddWeights(settings, axis, std::clamp(x, -4.0f, last + 4), &table);
    }
    table.begins.push_back(static_cast<int64_t>(table.positions.size()));
  }
  return table;
}

}  // namespace inferd
