#include "engine/ops/convolution.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/window_taps.h"

namespace inferd {
namespace {

absl::Status CheckRanks(const SymbolicShape& x, const SymbolicShape& w) {
  if (x.rank() < 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has shape ", x.ToString(), ", expected [N,C,spatial...]"));
  }
  if (w.rank() != x.rank()) {
    return absl::InvalidArgumentError(absl::StrCat("W has shape ", w.ToString(), ", expected rank ",
                                                   x.rank(), " as X ", x.ToString()));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadGroups(const Attributes& attributes) {
  const int64_t groups = attributes.Int("group", 1);
  if (groups < 1) return absl::InvalidArgumentError(absl::StrCat("attribute group is ", groups));
  return groups;
}

absl::Status CheckDivides(int64_t groups, const Dim& channels, absl::string_view what) {
  if (!channels.known() || channels.value % groups == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("group ", groups, " does not divide the ", channels.value, " ", what));
}

std::vector<Tap> AllTaps(const Window& window) {
  std::vector<Tap> taps;
  TapWalk walk(window);
  for (Tap tap; walk.Next(&tap);) taps.push_back(tap);
  return taps;
}

absl::Span<const Dim> Spatial(const SymbolicShape& shape) {
  return absl::MakeConstSpan(shape.dims()).subspan(2);
}

// The window with the parts of input and output exchanged.
Window Exchanged(const Window& window) {
  Window exchanged = window;
  std::swap(exchanged.input, exchanged.output);
  return exchanged;
}

}  // namespace

SymbolicShape ConvolutionShape::Output() const {
  std::vector<Dim> dims = {batch, out_channels};
  dims.insert(dims.end(), output_spatial.begin(), output_spatial.end());
  return SymbolicShape(std::move(dims));
}

std::vector<AttributeSpec> ConvolutionAttributes(std::vector<AttributeSpec> others) {
  static constexpr AttributeSpec kCommon[] = {
      {"auto_pad", AttributeKind::kString}, {"dilations", AttributeKind::kInts},
      {"group", AttributeKind::kInt},       {"kernel_shape", AttributeKind::kInts},
      {"pads", AttributeKind::kInts},       {"strides", AttributeKind::kInts}};
  others.insert(others.end(), std::begin(kCommon), std::end(kCommon));
  return others;
}

absl::StatusOr<ConvolutionShape> ResolveConvolution(const Attributes& attributes,
                                                    const SymbolicShape& x,
                                                    const SymbolicShape& w) {
  RETURN_IF_ERROR(CheckRanks(x, w));
  ConvolutionShape result;
  ASSIGN_OR_RETURN(result.groups, ReadGroups(attributes));
  result.batch = x[0];
  result.in_channels = x[1];
  result.out_channels = w[0];
  RETURN_IF_ERROR(CheckDivides(result.groups, x[1], "channels of X"));
  RETURN_IF_ERROR(CheckDivides(result.groups, w[0], "output channels of W"));
  if (x[1].known() && w[1].known() && x[1].value / result.groups != w[1].value) {
    return absl::InvalidArgumentError(
        absl::StrCat("W ", w.ToString(), " takes ", w[1].value, " channels in each of ",
                     result.groups, " groups, X ", x.ToString(), " has ", x[1].value, " channels"));
  }
  ASSIGN_OR_RETURN(result.window, ResolveWindow(attributes, Spatial(x), Spatial(w)));
  result.output_spatial = OutputDims(result.window, Spatial(x));
  return result;
}

absl::StatusOr<ConvolutionShape> ResolveTransposedConvolution(const Attributes& attributes,
                                                              const SymbolicShape& x,
                                                              const SymbolicShape& w) {
  RETURN_IF_ERROR(CheckRanks(x, w));
  ConvolutionShape result;
  ASSIGN_OR_RETURN(result.groups, ReadGroups(attributes));
  result.batch = x[0];
  result.in_channels = x[1];
  result.out_channels = w[1] * Dim(result.groups);
  RETURN_IF_ERROR(CheckDivides(result.groups, x[1], "channels of X"));
  if (x[1].known() && w[0].known() && x[1].value != w[0].value) {
    return absl::InvalidArgumentError(absl::StrCat("W ", w.ToString(), " takes ", w[0].value,
                                                   " channels, X ", x.ToString(), " has ",
                                                   x[1].value));
  }
  ASSIGN_OR_RETURN(result.window, ResolveTransposedWindow(attributes, Spatial(x), Spatial(w)));
  for (int64_t size : result.window.output) {
    result.output_spatial.push_back(size < 0 ? Dim::Unknown() : Dim(size));
  }
  return result;
}

absl::Status CheckChannelVector(absl::string_view name, const SymbolicShape& bias,
                                const Dim& channels) {
  const bool wrong_rank = bias.has_rank() && bias.rank() != 1;
  if (wrong_rank || (bias.rank() == 1 && bias[0].known() && channels.known() &&
                     bias[0].value != channels.value)) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has shape ", bias.ToString(), ", expected ", SymbolicShape({channels}).ToString()));
  }
  return absl::OkStatus();
}

absl::Status InferConvolution(InferContext& context, int x, int w, int bias, DType output_dtype) {
  SymbolicShape x_shape = context.shape(x);
  SymbolicShape w_shape = context.shape(w);
  if (!x_shape.has_rank() && !w_shape.has_rank()) {
    context.SetOutput(0, output_dtype, SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  if (!x_shape.has_rank()) x_shape = SymbolicShape::OfRank(w_shape.rank());
  if (!w_shape.has_rank()) w_shape = SymbolicShape::OfRank(x_shape.rank());
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   ResolveConvolution(context.attributes(), x_shape, w_shape));
  if (bias >= 0 && context.has_input(bias)) {
    RETURN_IF_ERROR(CheckChannelVector("B", context.shape(bias), shape.out_channels));
  }
  context.SetOutput(0, output_dtype, shape.Output());
  return absl::OkStatus();
}

template <typename Acc>
void Convolve(const Window& window, int64_t inputs, int64_t outputs, const Acc* x, const Acc* w,
              Acc* y) {
  const std::vector<Tap> taps = AllTaps(window);
  const int64_t x_plane = window.input_elements();
  const int64_t y_plane = window.output_elements();
  const int64_t w_plane = window.kernel_elements();
  const int64_t stride = window.rank() > 0 ? window.strides[window.rank() - 1] : 1;
  for (int64_t out = 0; out < outputs; ++out, y += y_plane, w += inputs * w_plane) {
    int64_t in = 0;
    // Four input planes at a time: one load and store of y for four products.
    for (; in + 4 <= inputs; in += 4) {
      for (const Tap& tap : taps) {
        const Acc* w0 = w + in * w_plane + tap.index;
        const Acc a = w0[0], b = w0[w_plane], c = w0[2 * w_plane], d = w0[3 * w_plane];
        ForEachRow(window, tap, [&](int64_t from, int64_t to, int64_t count) {
          const Acc* x0 = x + in * x_plane + from;
          const Acc* x1 = x0 + x_plane;
          const Acc* x2 = x1 + x_plane;
          const Acc* x3 = x2 + x_plane;
          Acc* y0 = y + to;
          if (stride == 1) {
            for (int64_t j = 0; j < count; ++j) {
              y0[j] += a * x0[j] + b * x1[j] + c * x2[j] + d * x3[j];
            }
          } else {
            for (int64_t j = 0; j < count; ++j) {
              const int64_t k = j * stride;
              y0[j] += a * x0[k] + b * x1[k] + c * x2[k] + d * x3[k];
            }
          }
        });
      }
    }
    for (; in < inputs; ++in) {
      for (const Tap& tap : taps) {
        const Acc a = w[in * w_plane + tap.index];
        ForEachRow(window, tap, [&](int64_t from, int64_t to, int64_t count) {
          const Acc* x0 = x + in * x_plane + from;
          for (int64_t j = 0; j < count; ++j) y[to + j] += a * x0[j * stride];
        });
      }
    }
  }
}

template <typename Acc>
void ConvolveTransposed(const Window& window, int64_t inputs, int64_t outputs, const Acc* x,
                        const Acc* w, Acc* y) {
  // Every product of the convolution that maps Y to X, with the roles of X and Y exchanged.
  const Window exchanged = Exchanged(window);
  const std::vector<Tap> taps = AllTaps(exchanged);
  const int64_t x_plane = window.input_elements();
  const int64_t y_plane = window.output_elements();
  const int64_t w_plane = window.kernel_elements();
  const int64_t stride = window.rank() > 0 ? window.strides[window.rank() - 1] : 1;
  for (int64_t in = 0; in < inputs; ++in) {
    for (int64_t out = 0; out < outputs; ++out) {
      for (const Tap& tap : taps) {
        const Acc a = w[(in * outputs + out) * w_plane + tap.index];
        ForEachRow(exchanged, tap, [&](int64_t to, int64_t from, int64_t count) {
          const Acc* x0 = x + in * x_plane + from;
          Acc* y0 = y + out * y_plane + to;
          for (int64_t j = 0; j < count; ++j) y0[j * stride] += a * x0[j];
        });
      }
    }
  }
}

template void Convolve(const Window&, int64_t, int64_t, const float*, const float*, float*);
template void Convolve(const Window&, int64_t, int64_t, const double*, const double*, double*);
template void Convolve(const Window&, int64_t, int64_t, const uint32_t*, const uint32_t*,
                       uint32_t*);
template void ConvolveTransposed(const Window&, int64_t, int64_t, const float*, const float*,
                                 float*);
template void ConvolveTransposed(const Window&, int64_t, int64_t, const double*, const double*,
                                 double*);

}  // namespace inferd
