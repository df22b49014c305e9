#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/fourier.h"
#include "engine/ops/index_check.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kSignal, kLength, kAxis };

struct DftSettings {
  bool inverse = false;
  bool onesided = false;
  bool real_output() const { return inverse && onesided; }
};

DftSettings ReadSettings(const Attributes& attributes) {
  return {.inverse = attributes.Int("inverse", 0) != 0,
          .onesided = attributes.Int("onesided", 0) != 0};
}

absl::Status CheckSignal(const DftSettings& settings, const SymbolicShape& x) {
  if (!x.has_rank()) return absl::OkStatus();
  const Dim parts = x.rank() < 2 ? Dim(0) : x[x.rank() - 1];
  const bool valid = x.rank() >= 2 && (!parts.known() || parts.Is(1) || parts.Is(2));
  if (!valid) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input has shape ", x.ToString(), ", expected [...,1] (real) or [...,2] (complex)"));
  }
  if (settings.onesided && parts.Is(settings.inverse ? 1 : 2)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "input has shape ", x.ToString(), ", a one-sided ",
        settings.inverse ? "inverse transform takes complex" : "transform takes real", " input"));
  }
  return absl::OkStatus();
}

// The axis of the transform, in front of the last one, which holds the parts.
absl::StatusOr<int> SignalAxis(int64_t axis, int rank) {
  ASSIGN_OR_RETURN(const int normalized, NormalizeAxis(axis, rank));
  if (normalized < rank - 1) return normalized;
  return absl::InvalidArgumentError(
      absl::StrCat("axis ", axis, " is the last one, which holds the complex numbers' parts"));
}

absl::Status CheckLength(int64_t length) {
  if (length >= 1 && length <= INT64_C(1) << 40) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("dft_length is ", length, ", expected at least 1"));
}

int64_t DefaultLength(const DftSettings& settings, int64_t signal) {
  return settings.real_output() ? 2 * (signal - 1) : signal;
}

int64_t OutputLength(const DftSettings& settings, int64_t length) {
  return settings.onesided && !settings.inverse ? length / 2 + 1 : length;
}

// The given length, the one that follows from the signal, or unknown.
absl::StatusOr<Dim> KnownLength(const InferContext& context, const DftSettings& settings,
                                const Dim& signal) {
  int64_t length = 0;
  if (const Tensor* given = context.constant(kLength)) {
    ASSIGN_OR_RETURN(length, OneInteger(*given, "dft_length"));
  } else if (context.has_input(kLength) || !signal.known()) {
    return Dim::Unknown();
  } else {
    length = DefaultLength(settings, signal.value);
  }
  RETURN_IF_ERROR(CheckLength(length));
  return Dim(length);
}

absl::Status Infer(InferContext& context) {
  const DftSettings settings = ReadSettings(context.attributes());
  RETURN_IF_ERROR(CheckInputType(
      context, kSignal, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckInputType(context, kLength, {DType::kInt32, DType::kInt64}));
  RETURN_IF_ERROR(CheckInputType(context, kAxis, {DType::kInt32, DType::kInt64}));
  SymbolicShape shape = context.shape(kSignal);
  RETURN_IF_ERROR(CheckSignal(settings, shape));
  const Tensor* given_axis = context.constant(kAxis);
  const bool knows_axis = given_axis != nullptr || !context.has_input(kAxis);
  if (shape.has_rank() && !knows_axis) shape = SymbolicShape::OfRank(shape.rank());
  if (shape.has_rank() && knows_axis) {
    int64_t wanted = -2;
    if (given_axis != nullptr) {
      ASSIGN_OR_RETURN(wanted, OneInteger(*given_axis, "axis"));
    }
    ASSIGN_OR_RETURN(const int axis, SignalAxis(wanted, shape.rank()));
    ASSIGN_OR_RETURN(const Dim length, KnownLength(context, settings, shape[axis]));
    shape[axis] = length.known() ? Dim(OutputLength(settings, length.value)) : length;
  }
  if (shape.has_rank()) shape[shape.rank() - 1] = settings.real_output() ? 1 : 2;
  context.SetOutput(0, context.dtype(kSignal), std::move(shape));
  return absl::OkStatus();
}

// Where the lines along the transformed axis lie in input and output.
struct Lines {
  int64_t outer, inner;
  int64_t input, output;  // elements of a line
  int64_t input_parts, output_parts;
};

template <typename Real, typename T>
void TransformLines(const DftSettings& settings, const FourierTransform<Real>& transform,
                    const Lines& lines, const T* x, T* y) {
  std::vector<std::complex<Real>> line(transform.length());
  const int64_t used = settings.real_output() ? transform.length() / 2 + 1 : transform.length();
  for (int64_t o = 0; o < lines.outer; ++o) {
    for (int64_t i = 0; i < lines.inner; ++i) {
      std::fill(line.begin(), line.end(), 0);
      for (int64_t j = 0; j < std::min(lines.input, used); ++j) {
        const T* from = x + ((o * lines.input + j) * lines.inner + i) * lines.input_parts;
        line[j] = {static_cast<Real>(from[0]),
                   lines.input_parts == 2 ? static_cast<Real>(from[1]) : Real(0)};
      }
      if (settings.real_output()) {
        transform.InverseOfReal(line.data());
      } else if (settings.inverse) {
        transform.Inverse(line.data());
      } else if (lines.input_parts == 1) {
        transform.ForwardOfReal(line.data());
      } else {
        transform.Forward(line.data());
      }
      for (int64_t j = 0; j < lines.output; ++j) {
        T* to = y + ((o * lines.output + j) * lines.inner + i) * lines.output_parts;
        to[0] = static_cast<T>(line[j].real());
        if (lines.output_parts == 2) to[1] = static_cast<T>(line[j].imag());
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kSignal);
  const DftSettings settings = ReadSettings(context.attributes());
  RETURN_IF_ERROR(CheckSignal(settings, x.shape()));
  int64_t wanted = -2;
  if (context.has_input(kAxis)) {
    ASSIGN_OR_RETURN(wanted, OneInteger(context.input(kAxis), "axis"));
  }
  ASSIGN_OR_RETURN(const int axis, SignalAxis(wanted, x.rank()));
  int64_t length = DefaultLength(settings, x.dim(axis));
  if (context.has_input(kLength)) {
    ASSIGN_OR_RETURN(length, OneInteger(context.input(kLength), "dft_length"));
  }
  RETURN_IF_ERROR(CheckLength(length));
  Shape shape = x.shape();
  shape[axis] = OutputLength(settings, length);
  shape[x.rank() - 1] = settings.real_output() ? 1 : 2;
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  if (y->num_elements() == 0) return absl::OkStatus();
  const Lines lines = {.outer = shape.Product(0, axis),
                       .inner = shape.Product(axis + 1, x.rank() - 1),
                       .input = x.dim(axis),
                       .output = shape[axis],
                       .input_parts = x.dim(x.rank() - 1),
                       .output_parts = shape[x.rank() - 1]};
  return DispatchFloat(x.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    using Real = AccumulatorOf<T>;
    ASSIGN_OR_RETURN(const auto transform,
                     FourierTransform<Real>::Make(length, context.limit_bytes()));
    TransformLines(settings, transform, lines, x.data<T>(), y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Dft() {
  return {.name = "DFT",
          .since = 20,
          .min_inputs = 1,
          .max_inputs = 3,
          .attributes = {{"inverse", AttributeKind::kInt}, {"onesided", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
