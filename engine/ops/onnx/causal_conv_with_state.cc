#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/dim_check.h"
#include "engine/ops/input_shapes.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kWeight, kBias, kPast };
enum Output { kY, kPresent };

// X and Y [batch,channels,length], weight [channels,1,kernel], states [batch,channels,kernel-1].
struct ConvShape {
  Dim batch, channels, length, kernel;
  Dim state() const { return kernel - Dim(1); }
};

absl::StatusOr<ConvShape> Resolve(const SymbolicShape* const (&inputs)[4]) {
  ConvShape shape;
  RETURN_IF_ERROR(MatchDims("input", *inputs[kX], {&shape.batch, &shape.channels, &shape.length}));
  Dim one = 1;
  RETURN_IF_ERROR(MatchDims("weight", *inputs[kWeight], {&shape.channels, &one, &shape.kernel}));
  if (shape.kernel.Is(0)) return absl::InvalidArgumentError("weight has a kernel of size 0");
  if (inputs[kBias] != nullptr) {
    RETURN_IF_ERROR(MatchDims("bias", *inputs[kBias], {&shape.channels}));
  }
  if (inputs[kPast] != nullptr) {
    Dim state = shape.state();
    RETURN_IF_ERROR(
        MatchDims("past_state", *inputs[kPast], {&shape.batch, &shape.channels, &state}));
  }
  return shape;
}

absl::StatusOr<bool> HasSilu(const Attributes& attributes) {
  const std::string activation = attributes.String("activation", "none");
  if (activation == "silu" || activation == "swish") return true;
  if (activation == "none") return false;
  return absl::InvalidArgumentError(absl::StrCat("attribute activation is \"", activation,
                                                 "\", expected \"silu\", \"swish\" or \"none\""));
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(
      CheckInputType(context, kX, {DType::kFloat32, DType::kFloat16, DType::kBfloat16}));
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kWeight, kBias, kPast}));
  RETURN_IF_ERROR(HasSilu(context.attributes()).status());
  const InputShapes<4> inputs(context);
  ASSIGN_OR_RETURN(const ConvShape shape, Resolve(inputs.pointers()));
  context.SetOutput(kY, context.dtype(kX), {shape.batch, shape.channels, shape.length});
  context.SetOutput(kPresent, context.dtype(kX), {shape.batch, shape.channels, shape.state()});
  return absl::OkStatus();
}

// The state and then the input of one channel: `state` is null for zeros.
template <typename T>
std::vector<T> PaddedLine(const T* state, int64_t state_size, const T* x, int64_t length) {
  std::vector<T> line(state_size, T(0));
  if (state != nullptr) std::copy_n(state, state_size, line.begin());
  line.insert(line.end(), x, x + length);
  return line;
}

template <typename T>
void Convolve(const std::vector<T>& line, const T* weight, int64_t kernel, float bias, bool silu,
              int64_t length, T* y) {
  for (int64_t t = 0; t < length; ++t) {
    float sum = bias;
    for (int64_t i = 0; i < kernel; ++i) {
      sum += static_cast<float>(line[t + i]) * static_cast<float>(weight[i]);
    }
    y[t] = static_cast<T>(sum);
    if (!silu) continue;
    const float x = static_cast<float>(y[t]);
    y[t] = static_cast<T>(x / (1 + std::exp(-x)));
  }
}

absl::Status Compute(KernelContext& context) {
  const InputShapes<4> inputs(context);
  ASSIGN_OR_RETURN(const ConvShape shape, Resolve(inputs.pointers()));
  ASSIGN_OR_RETURN(const bool silu, HasSilu(context.attributes()));
  const Tensor& x = context.input(kX);
  const int64_t channels = shape.channels.value, length = shape.length.value;
  const int64_t kernel = shape.kernel.value, state_size = kernel - 1;
  Tensor* y = nullptr;
  Tensor* present = nullptr;
  if (context.wants_output(kY)) {
    ASSIGN_OR_RETURN(y, context.Output(kY, x.dtype(), x.shape()));
  }
  if (context.wants_output(kPresent)) {
    ASSIGN_OR_RETURN(present, context.Output(kPresent, x.dtype(),
                                             Shape({shape.batch.value, channels, state_size})));
  }
  return DispatchTypes<float, Float16, Bfloat16>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* past = context.has_input(kPast) ? context.input(kPast).data<T>() : nullptr;
    for (int64_t row = 0; row < shape.batch.value * channels; ++row) {
      const std::vector<T> line = PaddedLine(past == nullptr ? nullptr : past + row * state_size,
                                             state_size, x.data<T>() + row * length, length);
      const int64_t c = row % channels;
      const float bias =
          context.has_input(kBias) ? static_cast<float>(context.input(kBias).data<T>()[c]) : 0;
      if (y != nullptr) {
        Convolve(line, context.input(kWeight).data<T>() + c * kernel, kernel, bias, silu, length,
                 y->mutable_data<T>() + row * length);
      }
      if (present != nullptr) {
        std::copy(line.end() - state_size, line.end(),
                  present->mutable_data<T>() + row * state_size);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef CausalConvWithState() {
  return {.name = "CausalConvWithState",
          .since = 27,
          .min_inputs = 2,
          .max_inputs = 4,
          .max_outputs = 2,
          .attributes = {{"activation", AttributeKind::kString}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
