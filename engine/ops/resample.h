#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/attributes.h"

namespace inferd {

enum class ResampleMode : uint8_t { kNearest, kLinear, kCubic };
enum class NearestRounding : uint8_t { kPreferFloor, kPreferCeil, kFloor, kCeil };
// Where an output position lies in the input.
enum class ResampleCoordinates : uint8_t {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kCropAndResize,
  kHalfPixelUnshifted,  // tf_half_pixel_for_nn of opset 11 and 12
};

// How Resize computes values, from its attributes. A value type.
struct ResampleSettings {
  ResampleMode mode = ResampleMode::kNearest;
  ResampleCoordinates coordinates = ResampleCoordinates::kHalfPixel;
  NearestRounding rounding = NearestRounding::kPreferFloor;
  float cubic_coefficient = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
};
// INVALID_ARGUMENT naming the attribute for an unknown mode.
absl::StatusOr<ResampleSettings> ReadResampleSettings(const Attributes& attributes);

// One axis to resample: sizes, the factor between them, and the part [roi_begin, roi_end] of the
// input for kCropAndResize.
struct ResampleAxis {
  int64_t input = 0;
  int64_t output = 0;
  float scale = 1;
  // The output's length before it was rounded down, which the corners are aligned by.
  float output_length = 0;
  float roi_begin = 0;
  float roi_end = 1;
};

// Weighted input positions of every output position along one axis: those of output j are
// [begins[j], begins[j + 1]). An output whose position lies outside the input under kCropAndResize
// has none. A value type.
struct ResampleTable {
  std::vector<int64_t> begins;
  std::vector<int64_t> positions;  // in [0, input)
  std::vector<double> weights;
};
// Requires input > 0 unless output is 0.
ResampleTable MakeResampleTable(const ResampleSettings& settings, const ResampleAxis& axis);

}  // namespace inferd
