#include <algorithm>
#include <cmath>
#include <complex>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/arithmetic.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"

namespace inferd::ops::onnx {
namespace {

enum class Mode : uint8_t { kNearest, kLinear, kCubic };
enum class Padding : uint8_t { kZeros, kBorder, kReflection };

struct GridSettings {
  Mode mode = Mode::kLinear;
  Padding padding = Padding::kZeros;
  bool align_corners = false;
};

absl::StatusOr<GridSettings> ReadSettings(const Attributes& attributes) {
  GridSettings settings;
  const std::string mode = attributes.String("mode", "linear");
  const std::string padding = attributes.String("padding_mode", "zeros");
  settings.align_corners = attributes.Int("align_corners", 0) != 0;
  if (mode == "nearest") {
    settings.mode = Mode::kNearest;
  } else if (mode == "cubic") {
    settings.mode = Mode::kCubic;
  } else if (mode != "linear") {
    return absl::InvalidArgumentError(absl::StrCat("attribute mode is \"", mode, "\""));
  }
  if (padding == "border") {
    settings.padding = Padding::kBorder;
  } else if (padding == "reflection") {
    settings.padding = Padding::kReflection;
  } else if (padding != "zeros") {
    return absl::InvalidArgumentError(absl::StrCat("attribute padding_mode is \"", padding, "\""));
  }
  return settings;
}

// [N,C,D1..Dk] and [N,O1..Ok,k] -> [N,C,O1..Ok].
absl::StatusOr<SymbolicShape> OutputShape(const SymbolicShape& x, const SymbolicShape& grid) {
  if (!x.has_rank() && !grid.has_rank()) return SymbolicShape::UnknownRank();
  const int rank = x.has_rank() ? x.rank() : grid.rank();
  const bool ranks = rank >= 3 && (!grid.has_rank() || grid.rank() == rank);
  const bool last =
      !ranks || !grid.has_rank() || !grid[rank - 1].known() || grid[rank - 1].value == rank - 2;
  const bool batch = !ranks || !x.has_rank() || !grid.has_rank() || !x[0].known() ||
                     !grid[0].known() || x[0].value == grid[0].value;
  if (!ranks || !last || !batch) {
    return absl::InvalidArgumentError(absl::StrCat("X ", x.ToString(), " and grid ",
                                                   grid.ToString(),
                                                   ", expected [N,C,D1..Dk] and [N,O1..Ok,k]"));
  }
  SymbolicShape shape = SymbolicShape::OfRank(rank);
  if (x.has_rank()) {
    shape[0] = x[0];
    shape[1] = x[1];
  }
  if (grid.has_rank()) {
    if (!shape[0].known()) shape[0] = grid[0];
    for (int i = 2; i < rank; ++i) shape[i] = grid[i - 1];
  }
  return shape;
}

absl::Status CheckType(const GridSettings& settings, DType dtype) {
  if (dtype != DType::kString || settings.mode == Mode::kNearest) return absl::OkStatus();
  return absl::InvalidArgumentError("X is text, which attribute mode must be nearest for");
}

absl::Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const GridSettings settings, ReadSettings(context.attributes()));
  RETURN_IF_ERROR(CheckType(settings, context.dtype(0)));
  ASSIGN_OR_RETURN(SymbolicShape shape, OutputShape(context.shape(0), context.shape(1)));
  context.SetOutput(0, context.dtype(0), std::move(shape));
  return absl::OkStatus();
}

// Mirrors x at the borders until it lies within [low, high].
double Reflect(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double distance = x < low ? low - x : x - low;
  const double folds = std::floor(distance / range);
  const double rest = distance - folds * range;
  return std::fmod(folds, 2) == 0 ? low + rest : high - rest;
}

// The element index of position p along an axis of `size`, or -1 where it counts as zero.
int64_t IndexOf(const GridSettings& settings, double p, int64_t size) {
  const double last = static_cast<double>(size - 1);
  if (settings.padding == Padding::kZeros) {
    return p >= 0 && p <= last ? static_cast<int64_t>(p) : -1;
  }
  if (settings.padding == Padding::kReflection) {
    p = settings.align_corners ? Reflect(p, 0, last) : Reflect(p, -0.5, last + 0.5);
  }
  return static_cast<int64_t>(std::clamp(p, 0.0, last));
}

// Elements along one axis that make the value at a grid coordinate, with weights.
struct AxisTaps {
  int count = 0;
  int64_t indices[4];
  double weights[4];
  void Add(int64_t index, double weight) {
    indices[count] = index;
    weights[count++] = weight;
  }
};

double CubicWeight(double x) {
  constexpr double kA = -0.75;
  x = std::abs(x);
  if (x <= 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return ((kA * x - 5 * kA) * x + 8 * kA) * x - 4 * kA;
  return 0;
}

AxisTaps TapsAt(const GridSettings& settings, double coordinate, int64_t size) {
  const double length = static_cast<double>(size);
  double p = settings.align_corners ? (coordinate + 1) / 2 * (length - 1)
                                    : ((coordinate + 1) * length - 1) / 2;
  // NaN and far values count as far outside.
  if (!(std::abs(p) < 1e15)) p = p > 0 ? 1e15 : -1e15;
  // Positions are brought inside before elements are looked up, and once more for their neighbours.
  if (settings.padding == Padding::kBorder && settings.mode != Mode::kCubic) {
    p = std::clamp(p, 0.0, length - 1);
  } else if (settings.padding == Padding::kReflection) {
    p = settings.align_corners ? Reflect(p, 0, length - 1) : Reflect(p, -0.5, length - 0.5);
  }
  AxisTaps taps;
  if (settings.mode == Mode::kNearest) {
    taps.Add(IndexOf(settings, std::nearbyint(p), size), 1);
    return taps;
  }
  const double floor = std::floor(p);
  const int radius = settings.mode == Mode::kLinear ? 1 : 2;
  for (int k = 1 - radius; k <= radius; ++k) {
    const double at = floor + k;
    const double weight =
        settings.mode == Mode::kLinear ? 1 - std::abs(p - at) : CubicWeight(p - at);
    taps.Add(IndexOf(settings, at, size), weight);
  }
  return taps;
}

// Offsets and weights of the elements of a plane that make one output position.
struct Contribution {
  int64_t offset;
  double weight;
};

void Collect(const std::vector<AxisTaps>& taps, const Shape& x, std::vector<Contribution>* result) {
  result->assign(1, {0, 1});
  std::vector<Contribution> next;
  for (size_t axis = 0; axis < taps.size(); ++axis) {
    next.clear();
    for (const Contribution& outer : *result) {
      for (int k = 0; k < taps[axis].count; ++k) {
        if (taps[axis].indices[k] < 0) continue;
        next.push_back({outer.offset * x[static_cast<int>(axis) + 2] + taps[axis].indices[k],
                        outer.weight * taps[axis].weights[k]});
      }
    }
    std::swap(*result, next);
  }
}

// The weighted sum of a plane's elements. Integers truncate; text, of which only one element can be
// taken, is empty outside.
template <typename T>
T Combine(const std::vector<Contribution>& contributions, const T* from) {
  if constexpr (std::is_same_v<T, std::string>) {
    return contributions.empty() ? T() : from[contributions[0].offset];
  } else if constexpr (std::is_same_v<T, std::complex<float>> ||
                       std::is_same_v<T, std::complex<double>>) {
    std::complex<double> sum = 0;
    for (const Contribution& c : contributions) {
      sum += c.weight * std::complex<double>(from[c.offset]);
    }
    return T(sum);
  } else {
    double sum = 0;
    for (const Contribution& c : contributions) {
      sum += c.weight * static_cast<double>(from[c.offset]);
    }
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      return SaturateToInteger<T>(sum);
    } else {
      return static_cast<T>(sum);
    }
  }
}

template <typename T>
void Sample(const GridSettings& settings, const Tensor& x, const std::vector<double>& grid,
            int64_t positions, T* y) {
  const int axes = x.rank() - 2;
  const int64_t channels = x.dim(1), plane = x.shape().Product(2, x.rank());
  std::vector<AxisTaps> taps(axes);
  std::vector<Contribution> contributions;
  for (int64_t n = 0; n < x.dim(0); ++n) {
    for (int64_t p = 0; p < positions; ++p) {
      const double* coordinates = grid.data() + (n * positions + p) * axes;
      // The grid's last dimension runs from the innermost axis outwards.
      for (int i = 0; i < axes; ++i) {
        taps[i] = TapsAt(settings, coordinates[axes - 1 - i], x.dim(i + 2));
      }
      Collect(taps, x.shape(), &contributions);
      for (int64_t c = 0; c < channels; ++c) {
        y[(n * channels + c) * positions + p] =
            Combine(contributions, x.data<T>() + (n * channels + c) * plane);
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const GridSettings settings, ReadSettings(context.attributes()));
  ASSIGN_OR_RETURN(const SymbolicShape shape, OutputShape(x.shape(), context.input(1).shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape.ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  if (x.num_elements() == 0) return absl::InvalidArgumentError("X is empty");
  if (x.rank() > 8) return absl::InvalidArgumentError("X has more than 6 spatial dimensions");
  ASSIGN_OR_RETURN(const std::vector<double> grid, ToDoubles(context.input(1)));
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::string, std::complex<float>,
                       std::complex<double>>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Sample(settings, x, grid, y->shape().Product(2, y->rank()), y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef GridSample() {
  return {.name = "GridSample",
          .since = 22,
          .min_inputs = 2,
          .max_inputs = 2,
          .attributes = {{"align_corners", AttributeKind::kInt},
                         {"mode", AttributeKind::kString},
                         {"padding_mode", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
