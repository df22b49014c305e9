#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/fourier.h"
#include "engine/ops/index_check.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kSignal, kStep, kWindow, kLength };

// What the output's shape follows from; unknown where it is not known yet.
struct Framing {
  Dim signal;
  Dim step;
  Dim length;  // of a frame
};

absl::Status CheckShapes(bool onesided, const SymbolicShape& signal, const SymbolicShape& window) {
  const Dim parts = signal.rank() == 3 ? signal[2] : Dim::Unknown();
  if (signal.has_rank() &&
      (signal.rank() != 3 || (parts.known() && !parts.Is(1) && !parts.Is(2)))) {
    return absl::InvalidArgumentError(
        absl::StrCat("signal has shape ", signal.ToString(), ", expected [batch,length,1 or 2]"));
  }
  if (onesided && parts.Is(2)) {
    return absl::InvalidArgumentError(
        "signal is complex: its transform is not one-sided, attribute onesided must be 0");
  }
  if (window.has_rank() && window.rank() != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("window has shape ", window.ToString(), ", expected [length]"));
  }
  return absl::OkStatus();
}

// The length of a frame: as given, else the window's, else the signal's.
absl::StatusOr<Dim> FrameLength(const Dim& given, bool has_window, const Dim& window,
                                const Dim& signal) {
  if (!given.known()) return has_window ? window : signal;
  if (has_window && window.known() && window.value != given.value) {
    return absl::InvalidArgumentError(
        absl::StrCat("frame_length is ", given.value, ", but window has length ", window.value));
  }
  return given;
}

absl::StatusOr<Dim> CountFrames(const Framing& framing) {
  if ((framing.step.known() && framing.step.value < 1) || framing.length.Is(0)) {
    return absl::InvalidArgumentError("frame_step and frame_length must be at least 1");
  }
  if (!framing.signal.known() || !framing.length.known()) return Dim::Unknown();
  const int64_t room = framing.signal.value - framing.length.value;
  if (room < 0) {
    return absl::InvalidArgumentError(absl::StrCat("a frame of ", framing.length.value,
                                                   " is longer than the signal of ",
                                                   framing.signal.value));
  }
  return framing.step.known() ? Dim(room / framing.step.value + 1) : Dim::Unknown();
}

SymbolicShape OutputShape(bool onesided, const Dim& batch, const Dim& frames, const Dim& length) {
  const Dim bins = onesided && length.known() ? Dim(length.value / 2 + 1)
                   : onesided                 ? Dim::Unknown()
                                              : length;
  return {batch, frames, bins, Dim(2)};
}

absl::StatusOr<Dim> ReadSize(const Tensor* value, absl::string_view name) {
  if (value == nullptr) return Dim::Unknown();
  ASSIGN_OR_RETURN(const int64_t size, OneInteger(*value, name));
  if (size >= 1) return Dim(size);
  return absl::InvalidArgumentError(absl::StrCat(name, " is ", size, ", expected at least 1"));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(
      context, kSignal, {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kSignal, kWindow}));
  const bool onesided = context.attributes().Int("onesided", 1) != 0;
  const bool has_window = context.has_input(kWindow);
  const SymbolicShape& signal = context.shape(kSignal);
  const SymbolicShape window = has_window ? context.shape(kWindow) : SymbolicShape();
  RETURN_IF_ERROR(CheckShapes(onesided, signal, window));
  Framing framing;
  framing.signal = signal.has_rank() ? signal[1] : Dim::Unknown();
  ASSIGN_OR_RETURN(framing.step, ReadSize(context.constant(kStep), "frame_step"));
  ASSIGN_OR_RETURN(Dim given, ReadSize(context.constant(kLength), "frame_length"));
  if (given.known() || has_window || !context.has_input(kLength)) {
    ASSIGN_OR_RETURN(framing.length,
                     FrameLength(given, has_window, window.has_rank() ? window[0] : Dim::Unknown(),
                                 framing.signal));
  }
  ASSIGN_OR_RETURN(const Dim frames, CountFrames(framing));
  context.SetOutput(0, context.dtype(kSignal),
                    OutputShape(onesided, signal.has_rank() ? signal[0] : Dim::Unknown(), frames,
                                framing.length));
  return absl::OkStatus();
}

template <typename Real, typename T>
void TransformFrames(const FourierTransform<Real>& transform, const std::vector<double>& window,
                     int64_t step, const Tensor& signal, Tensor* output) {
  const int64_t parts = signal.dim(2), bins = output->dim(2);
  std::vector<std::complex<Real>> frame(transform.length());
  T* to = output->mutable_data<T>();
  for (int64_t b = 0; b < output->dim(0); ++b) {
    for (int64_t f = 0; f < output->dim(1); ++f) {
      const T* from = signal.data<T>() + (b * signal.dim(1) + f * step) * parts;
      for (int64_t j = 0; j < transform.length(); ++j, from += parts) {
        const double weight = window.empty() ? 1 : window[j];
        const double imaginary = parts == 2 ? static_cast<double>(from[1]) : 0;
        frame[j] = {static_cast<Real>(weight * static_cast<double>(from[0])),
                    static_cast<Real>(weight * imaginary)};
      }
      if (parts == 1) {
        transform.ForwardOfReal(frame.data());
      } else {
        transform.Forward(frame.data());
      }
      for (int64_t k = 0; k < bins; ++k) {
        *to++ = static_cast<T>(frame[k].real());
        *to++ = static_cast<T>(frame[k].imag());
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& signal = context.input(kSignal);
  const bool onesided = context.attributes().Int("onesided", 1) != 0;
  const bool has_window = context.has_input(kWindow);
  RETURN_IF_ERROR(CheckShapes(onesided, signal.shape(),
                              has_window ? context.input(kWindow).shape() : SymbolicShape()));
  Framing framing;
  framing.signal = signal.dim(1);
  ASSIGN_OR_RETURN(framing.step, ReadSize(&context.input(kStep), "frame_step"));
  ASSIGN_OR_RETURN(
      const Dim given,
      ReadSize(context.has_input(kLength) ? &context.input(kLength) : nullptr, "frame_length"));
  ASSIGN_OR_RETURN(framing.length,
                   FrameLength(given, has_window,
                               has_window ? Dim(context.input(kWindow).dim(0)) : Dim::Unknown(),
                               framing.signal));
  ASSIGN_OR_RETURN(const Dim frames, CountFrames(framing));
  std::vector<double> window;
  if (has_window) {
    ASSIGN_OR_RETURN(window, ToDoubles(context.input(kWindow)));
  }
  const SymbolicShape shape = OutputShape(onesided, signal.dim(0), frames, framing.length);
  RETURN_IF_ERROR(shape.ToShape().CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, signal.dtype(), shape.ToShape()));
  return DispatchFloat(signal.dtype(), [&](auto tag) -> absl::Status {
    using T = typename decltype(tag)::type;
    using Real = AccumulatorOf<T>;
    ASSIGN_OR_RETURN(const auto transform,
                     FourierTransform<Real>::Make(framing.length.value, context.limit_bytes()));
    TransformFrames<Real, T>(transform, window, framing.step.value, signal, y);
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Stft() {
  return {.name = "STFT",
          .since = 17,
          .min_inputs = 2,
          .max_inputs = 4,
          .attributes = {{"onesided", AttributeKind::kInt}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
