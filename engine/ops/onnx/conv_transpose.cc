#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/convolution.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {0, 1, 2}));
  SymbolicShape x = context.shape(0);
  SymbolicShape w = context.shape(1);
  if (!x.has_rank() && !w.has_rank()) {
    context.SetOutput(0, context.dtype(0), SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  if (!x.has_rank()) x = SymbolicShape::OfRank(w.rank());
  if (!w.has_rank()) w = SymbolicShape::OfRank(x.rank());
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveTransposedConvolution(context.attributes(), x, w));
  if (context.has_input(2)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.shape(2), shape.out_channels));
  }
  context.SetOutput(0, context.dtype(0), shape.Output());
  return absl::OkStatus();
}

template <typename T>
void TransposedBatch(const ConvolutionShape& shape, const Tensor& x, const Tensor& w, const T* bias,
                     T* y) {
  using Acc = AccumulatorOf<T>;
  const Window& window = shape.window;
  const Accumulators<Acc> weights(w.data<T>(), w.num_elements());
  const int64_t channels = shape.out_channels.value;
  const int64_t plane = window.output_elements();
  const int64_t image = shape.in_channels.value * window.input_elements();
  const int64_t inputs = shape.group_inputs();
  const int64_t outputs = shape.group_outputs();
  std::vector<Acc> sums(channels * plane);
  for (int64_t n = 0; n < shape.batch.value; ++n) {
    const Accumulators<Acc> source(x.data<T>() + n * image, image);
    for (int64_t c = 0; c < channels; ++c) {
      std::fill_n(sums.begin() + c * plane, plane,
                  bias == nullptr ? Acc(0) : static_cast<Acc>(bias[c]));
    }
    for (int64_t g = 0; g < shape.groups; ++g) {
      ConvolveTransposed(window, inputs, outputs,
                         source.data() + g * inputs * window.input_elements(),
                         weights.data() + g * inputs * outputs * window.kernel_elements(),
                         sums.data() + g * outputs * plane);
    }
    for (Acc sum : sums) *y++ = static_cast<T>(sum);
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveTransposedConvolution(context.attributes(), x.shape(), w.shape()));
  if (context.has_input(2)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.input(2).shape(), shape.out_channels));
  }
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape.Output().ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* bias = context.has_input(2) ? context.input(2).data<T>() : nullptr;
    TransposedBatch<T>(shape, x, w, bias, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef ConvTranspose() {
  return {.name = "ConvTranspose",
          .since = 22,
          .min_inputs = 2,
          .max_inputs = 3,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"dilations", AttributeKind::kInts},
                         {"group", AttributeKind::kInt},
                         {"kernel_shape", AttributeKind::kInts},
                         {"output_padding", AttributeKind::kInts},
                         {"output_shape", AttributeKind::kInts},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
