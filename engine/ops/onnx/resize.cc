#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/resample.h"
#include "engine/ops/view.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX = 0, kRoi = 1, kScales = 2, kSizes = 3 };

// Output sizes and the factor of each axis; unknown sizes stay unknown.
struct Target {
  SymbolicShape shape;
  std::vector<float> scales;  // one an axis of X; 1 where unknown
  std::vector<int> axes;
  bool sizes_are_exact = false;  // sizes were given and need no rounding
};

absl::StatusOr<std::vector<int>> ReadAxes(const Attributes& attributes, int rank) {
  if (attributes.Has("axes")) return NormalizeAxes(attributes.Ints("axes"), rank);
  std::vector<int> axes(rank);
  for (int i = 0; i < rank; ++i) axes[i] = i;
  return axes;
}

absl::Status CheckCount(absl::string_view name, size_t count, size_t axes) {
  if (count == axes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has ", count, " values for ", axes, " axes"));
}

absl::Status ApplyScales(const std::vector<double>& scales, Target* target) {
  RETURN_IF_ERROR(CheckCount("scales", scales.size(), target->axes.size()));
  for (size_t i = 0; i < scales.size(); ++i) {
    const int axis = target->axes[i];
    if (!(scales[i] > 0) || scales[i] > 1e9) {
      return absl::InvalidArgumentError(absl::StrCat("scales has ", scales[i]));
    }
    target->scales[axis] = static_cast<float>(scales[i]);
    if (scales[i] == 1) continue;
    Dim& dim = target->shape[axis];
    if (!dim.known()) {
      dim = Dim::Unknown();
    } else {
      const float size = static_cast<float>(dim.value) * target->scales[axis];
      if (size > 1e15f) return absl::InvalidArgumentError("scales make the output too large");
      dim = static_cast<int64_t>(std::floor(size));
    }
  }
  return absl::OkStatus();
}

// With policy not_larger and not_smaller one factor serves all axes.
absl::Status ApplyCommonScale(const std::vector<int64_t>& sizes, bool not_larger, Target* target) {
  double common = not_larger ? std::numeric_limits<double>::infinity() : 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const Dim& dim = target->shape[target->axes[i]];
    if (!dim.known() || dim.value == 0) {
      for (int axis : target->axes) target->shape[axis] = Dim::Unknown();
      return absl::OkStatus();
    }
    const double scale = static_cast<double>(sizes[i]) / static_cast<double>(dim.value);
    common = not_larger ? std::min(common, scale) : std::max(common, scale);
  }
  for (int axis : target->axes) {
    target->scales[axis] = static_cast<float>(common);
    const double size = common * static_cast<double>(target->shape[axis].value);
    if (size > 1e15) return absl::InvalidArgumentError("sizes make the output too large");
    target->shape[axis] = static_cast<int64_t>(std::floor(size + 0.5));
  }
  return absl::OkStatus();
}

absl::Status ApplySizes(const Attributes& attributes, const std::vector<int64_t>& sizes,
                        Target* target) {
  RETURN_IF_ERROR(CheckCount("sizes", sizes.size(), target->axes.size()));
  for (int64_t size : sizes) {
    if (size < 0) return absl::InvalidArgumentError(absl::StrCat("sizes has ", size));
  }
  const std::string policy = attributes.String("keep_aspect_ratio_policy", "stretch");
  if (policy == "not_larger" || policy == "not_smaller") {
    return ApplyCommonScale(sizes, policy == "not_larger", target);
  }
  if (policy != "stretch") {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute keep_aspect_ratio_policy is \"", policy, "\""));
  }
  target->sizes_are_exact = true;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int axis = target->axes[i];
    Dim& dim = target->shape[axis];
    if (dim.known() && dim.value > 0) {
      target->scales[axis] = static_cast<float>(sizes[i]) / static_cast<float>(dim.value);
    }
    dim = sizes[i];
  }
  return absl::OkStatus();
}

bool IsGiven(const Tensor* tensor) { return tensor != nullptr && tensor->num_elements() > 0; }

absl::StatusOr<Target> Resolve(const Attributes& attributes, const SymbolicShape& x,
                               const Tensor* scales, const Tensor* sizes) {
  Target target;
  target.shape = x;
  target.scales.assign(x.rank(), 1);
  ASSIGN_OR_RETURN(target.axes, ReadAxes(attributes, x.rank()));
  if (IsGiven(sizes)) {
    ASSIGN_OR_RETURN(const std::vector<int64_t> values, sizes->ToInt64s());
    RETURN_IF_ERROR(ApplySizes(attributes, values, &target));
  } else if (IsGiven(scales)) {
    ASSIGN_OR_RETURN(const std::vector<double> values, ToDoubles(*scales));
    RETURN_IF_ERROR(ApplyScales(values, &target));
  } else {
    for (int axis : target.axes) target.shape[axis] = Dim::Unknown();
  }
  return target;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(ReadResampleSettings(context.attributes()).status());
  const SymbolicShape& x = context.shape(kX);
  if (!x.has_rank()) {
    context.SetOutput(0, context.dtype(kX), SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  const Tensor* sizes = context.constant(kSizes);
  const bool sizes_come_later = context.has_input(kSizes) && sizes == nullptr;
  ASSIGN_OR_RETURN(Target target,
                   Resolve(context.attributes(), x,
                           sizes_come_later ? nullptr : context.constant(kScales), sizes));
  context.SetOutput(0, context.dtype(kX), std::move(target.shape));
  return absl::OkStatus();
}

absl::Status ReadRoi(KernelContext& context, const std::vector<int>& axes,
                     std::vector<ResampleAxis>* resampled) {
  if (!context.has_input(kRoi)) {
    return absl::InvalidArgumentError("input roi is missing for tf_crop_and_resize");
  }
  ASSIGN_OR_RETURN(const std::vector<double> roi, ToDoubles(context.input(kRoi)));
  RETURN_IF_ERROR(CheckCount("roi", roi.size(), 2 * axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    (*resampled)[axes[i]].roi_begin = static_cast<float>(roi[i]);
    (*resampled)[axes[i]].roi_end = static_cast<float>(roi[axes.size() + i]);
  }
  return absl::OkStatus();
}

template <typename T>
constexpr bool kIsComplex =
    std::is_same_v<T, std::complex<float>> || std::is_same_v<T, std::complex<double>>;

template <typename T, typename Value>
T FromValue(const Value& value) {
  if constexpr (std::is_same_v<T, bool>) return value != 0;
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    // Cubic weights overshoot; the bounds are exact for up to 32 bits.
    if (!(value > static_cast<double>(std::numeric_limits<T>::lowest()))) {
      return std::numeric_limits<T>::lowest();
    }
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) {
      return std::numeric_limits<T>::max();
    }
  }
  return static_cast<T>(value);
}

// Resamples one axis of values [outer,input,inner]; outputs without positions become `outside`.
template <typename Acc>
std::vector<Acc> ResampleAlong(const ResampleTable& table, const ResampleAxis& axis, int64_t outer,
                               int64_t inner, const std::vector<Acc>& values, Acc outside) {
  std::vector<Acc> result(outer * axis.output * inner, Acc(0));
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t j = 0; j < axis.output; ++j) {
      Acc* to = result.data() + (o * axis.output + j) * inner;
      if (table.begins[j] == table.begins[j + 1]) std::fill_n(to, inner, outside);
      for (int64_t t = table.begins[j]; t < table.begins[j + 1]; ++t) {
        const Acc weight = static_cast<Acc>(table.weights[t]);
        const Acc* from = values.data() + (o * axis.input + table.positions[t]) * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] += weight * from[i];
      }
    }
  }
  return result;
}

// What elements of T are interpolated in.
template <typename T>
using ResampleValue =
    std::conditional_t<kIsComplex<T>, T,
                       std::conditional_t<std::is_integral_v<T>, double, AccumulatorOf<T>>>;

template <typename T>
absl::Status Interpolate(KernelContext& context, const ResampleSettings& settings,
                         const std::vector<ResampleAxis>& axes, Tensor* y) {
  using Acc = ResampleValue<T>;
  const Tensor& x = context.input(kX);
  const Acc outside = static_cast<Acc>(context.attributes().Float("extrapolation_value", 0));
  std::vector<Acc> values(x.data<T>(), x.data<T>() + x.num_elements());
  Shape shape = x.shape();
  for (int d = 0; d < x.rank(); ++d) {
    const bool unchanged = axes[d].scale == 1 && axes[d].input == axes[d].output &&
                           settings.coordinates != ResampleCoordinates::kCropAndResize;
    if (unchanged) continue;
    shape[d] = axes[d].output;
    ASSIGN_OR_RETURN(const int64_t elements, shape.CheckedElements());
    if (elements > context.limit_bytes() / static_cast<int64_t>(sizeof(Acc))) {
      return absl::ResourceExhaustedError(
          absl::StrCat("intermediate result ", shape.ToString(), " is too large"));
    }
    values = ResampleAlong(MakeResampleTable(settings, axes[d]), axes[d], shape.Product(0, d),
                           shape.Product(d + 1, shape.rank()), values, outside);
  }
  for (size_t i = 0; i < values.size(); ++i) y->mutable_data<T>()[i] = FromValue<T>(values[i]);
  return absl::OkStatus();
}

// For each axis the input offset of every output position, -1 outside.
using AxisOffsets = std::vector<std::vector<int64_t>>;

AxisOffsets NearestOffsets(const ResampleSettings& settings, const std::vector<ResampleAxis>& axes,
                           const Shape& x) {
  const Shape::Dims strides = x.RowMajorStrides();
  AxisOffsets offsets(axes.size());
  for (size_t d = 0; d < axes.size(); ++d) {
    const ResampleTable table = MakeResampleTable(settings, axes[d]);
    for (int64_t j = 0; j < axes[d].output; ++j) {
      const bool none = table.begins[j] == table.begins[j + 1];
      offsets[d].push_back(none ? -1 : table.positions[table.begins[j]] * strides[d]);
    }
  }
  return offsets;
}

// Copies the nearest element to every output position; Word is any type of the elements' size.
template <typename Word>
void CopyNearest(const AxisOffsets& offsets, const Word* x, const Word& outside, Word* y) {
  const int last = static_cast<int>(offsets.size()) - 1;
  std::vector<size_t> index(offsets.size(), 0);
  for (;;) {
    int64_t base = 0;
    for (int d = 0; d < last; ++d) {
      const int64_t offset = offsets[d][index[d]];
      base = base < 0 || offset < 0 ? -1 : base + offset;
    }
    for (int64_t offset : offsets[last]) {
      *y++ = base < 0 || offset < 0 ? outside : x[base + offset];
    }
    int d = last - 1;
    while (d >= 0 && ++index[d] == offsets[d].size()) index[d--] = 0;
    if (d < 0) return;
  }
}

absl::Status ResizeNearest(KernelContext& context, const ResampleSettings& settings,
                           const std::vector<ResampleAxis>& axes, Tensor* y) {
  const Tensor& x = context.input(kX);
  if (axes.empty()) {
    CopyElements(x, 0, y, 0, 1);
    return absl::OkStatus();
  }
  const AxisOffsets offsets = NearestOffsets(settings, axes, x.shape());
  const float outside = context.attributes().Float("extrapolation_value", 0);
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::string, std::complex<float>,
                       std::complex<double>>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T filler{};
    if constexpr (!std::is_same_v<T, std::string>) filler = FromValue<T>(outside);
    CopyNearest(offsets, x.data<T>(), filler, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  ASSIGN_OR_RETURN(const ResampleSettings settings, ReadResampleSettings(context.attributes()));
  const Tensor* scales = context.has_input(kScales) ? &context.input(kScales) : nullptr;
  const Tensor* sizes = context.has_input(kSizes) ? &context.input(kSizes) : nullptr;
  if (!IsGiven(scales) && !IsGiven(sizes) && x.rank() > 0) {
    return absl::InvalidArgumentError("inputs scales and sizes are both missing");
  }
  ASSIGN_OR_RETURN(const Target target, Resolve(context.attributes(), x.shape(), scales, sizes));
  if (!target.shape.IsConcrete()) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot keep the aspect ratio of ", x.shape().ToString()));
  }
  const Shape shape = target.shape.ToShape();
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() == 0) return absl::OkStatus();
  if (x.num_elements() == 0) return absl::InvalidArgumentError("X is empty, the output is not");
  std::vector<ResampleAxis> axes;
  for (int d = 0; d < x.rank(); ++d) {
    const float length = target.sizes_are_exact ? static_cast<float>(shape[d])
                                                : static_cast<float>(x.dim(d)) * target.scales[d];
    axes.push_back({x.dim(d), shape[d], target.scales[d], length});
  }
  if (settings.coordinates == ResampleCoordinates::kCropAndResize) {
    RETURN_IF_ERROR(ReadRoi(context, target.axes, &axes));
  }
  if (settings.mode == ResampleMode::kNearest) return ResizeNearest(context, settings, axes, y);
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::complex<float>,
                       std::complex<double>>(x.dtype(), [&](auto tag) {
    return Interpolate<typename decltype(tag)::type>(context, settings, axes, y);
  });
}

}  // namespace

OpDef Resize() {
  return {.name = "Resize",
          .since = 19,
          .min_inputs = 1,
          .max_inputs = 4,
          .attributes = {{"antialias", AttributeKind::kInt},
                         {"axes", AttributeKind::kInts},
                         {"coordinate_transformation_mode", AttributeKind::kString},
                         {"cubic_coeff_a", AttributeKind::kFloat},
                         {"exclude_outside", AttributeKind::kInt},
                         {"extrapolation_value", AttributeKind::kFloat},
                         {"keep_aspect_ratio_policy", AttributeKind::kString},
                         {"mode", AttributeKind::kString},
                         {"nearest_mode", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
