#pragma once

#include <algorithm>
#include <vector>

#include "engine/core/shape.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/graph/op_def.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/window.h"

namespace inferd {

// What Conv, ConvInteger, QLinearConv and ConvTranspose have in common: X is [N,C,spatial...], W is
// [M,C/group,kernel...] (transposed: [C,M/group,kernel...]), Y is [N,M,spatial...].

// Shapes of one convolution, checked. A value type.
struct ConvolutionShape {
  Dim batch;
  Dim in_channels;   // C
  Dim out_channels;  // M
  int64_t groups = 1;
  Window window;
  std::vector<Dim> output_spatial;

  SymbolicShape Output() const;
  // Channels of one group; for concrete shapes.
  int64_t group_inputs() const { return in_channels.value / groups; }
  int64_t group_outputs() const { return out_channels.value / groups; }
};

// The attributes that ResolveConvolution reads, behind those an operator has besides.
std::vector<AttributeSpec> ConvolutionAttributes(std::vector<AttributeSpec> others = {});

// Requires shapes with known rank.
absl::StatusOr<ConvolutionShape> ResolveConvolution(const Attributes& attributes,
                                                    const SymbolicShape& x, const SymbolicShape& w);
absl::StatusOr<ConvolutionShape> ResolveTransposedConvolution(const Attributes& attributes,
                                                              const SymbolicShape& x,
                                                              const SymbolicShape& w);
// INVALID_ARGUMENT unless `bias` may have the shape [channels].
absl::Status CheckChannelVector(absl::string_view name, const SymbolicShape& bias,
                                const Dim& channels);

// The shape rule of a convolution whose X and W are the given inputs (and B, unless negative).
absl::Status InferConvolution(InferContext& context, int x, int w, int bias, DType output_dtype);

// Adds the convolution of one group of one image to y, which holds the bias: x [inputs,input
// plane], w [outputs,inputs,kernel], y [outputs,output plane]. Acc is float, double or uint32_t.
template <typename Acc>
void Convolve(const Window& window, int64_t inputs, int64_t outputs, const Acc* x, const Acc* w,
              Acc* y);
// The same transposed: w is [inputs,outputs,kernel].
template <typename Acc>
void ConvolveTransposed(const Window& window, int64_t inputs, int64_t outputs, const Acc* x,
                        const Acc* w, Acc* y);

// All groups of one image: x [C,input plane], w whole, y [M,output plane] holding the bias.
template <typename Acc>
void ConvolveImage(const ConvolutionShape& shape, const Acc* x, const Acc* w, Acc* y) {
  const Window& window = shape.window;
  const int64_t inputs = shape.group_inputs();
  const int64_t outputs = shape.group_outputs();
  for (int64_t g = 0; g < shape.groups; ++g) {
    Convolve(window, inputs, outputs, x + g * inputs * window.input_elements(),
             w + g * outputs * inputs * window.kernel_elements(),
             y + g * outputs * window.output_elements());
  }
}

// A whole convolution of a float type; `bias` is null or [M]. Requires a non-empty y.
template <typename T>
void ConvolveBatch(const ConvolutionShape& shape, const Tensor& x, const Tensor& w, const T* bias,
                   T* y) {
  using Acc = AccumulatorOf<T>;
  const Accumulators<Acc> weights(w.data<T>(), w.num_elements());
  const int64_t channels = shape.out_channels.value;
  const int64_t plane = shape.window.output_elements();
  const int64_t image = shape.in_channels.value * shape.window.input_elements();
  std::vector<Acc> sums(channels * plane);
  for (int64_t n = 0; n < shape.batch.value; ++n) {
    const Accumulators<Acc> source(x.data<T>() + n * image, image);
    for (int64_t c = 0; c < channels; ++c) {
      std::fill_n(sums.begin() + c * plane, plane,
                  bias == nullptr ? Acc(0) : static_cast<Acc>(bias[c]));
    }
    ConvolveImage(shape, source.data(), weights.data(), sums.data());
    for (Acc sum : sums) *y++ = static_cast<T>(sum);
  }
}

}  // namespace inferd
