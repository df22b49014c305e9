#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/convolution.h"
#include "engine/ops/normalization.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kX, kW, kOffset, kB, kMask };

// Positions are interpolated between 2^axes neighbours.
constexpr int kMostAxes = 6;

// INVALID_ARGUMENT unless `got` may be [batch, channels, output spatial...].
absl::Status CheckPerPosition(absl::string_view name, const SymbolicShape& got,
                              const ConvolutionShape& shape, const Dim& channels) {
  if (!got.has_rank()) return absl::OkStatus();
  SymbolicShape expected({shape.batch, channels});
  for (const Dim& dim : shape.output_spatial) expected.mutable_dims().push_back(dim);
  bool fits = got.rank() == expected.rank();
  for (int i = 0; fits && i < got.rank(); ++i) {
    fits = !got[i].known() || !expected[i].known() || got[i].value == expected[i].value;
  }
  if (fits) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " has shape ", got.ToString(), ", expected ", expected.ToString()));
}

absl::StatusOr<int64_t> OffsetGroups(const Attributes& attributes, const Dim& channels) {
  const int64_t groups = attributes.Int("offset_group", 1);
  const bool fits = groups >= 1 && groups < INT64_C(1) << 31 &&
                    (!channels.known() || channels.value % groups == 0);
  if (fits) return groups;
  return absl::InvalidArgumentError(absl::StrCat("attribute offset_group is ", groups,
                                                 ", which does not divide the channels of X"));
}

absl::StatusOr<ConvolutionShape> Resolve(const Attributes& attributes, const SymbolicShape& x,
                                         const SymbolicShape& w, const SymbolicShape& offset,
                                         const SymbolicShape& bias, const SymbolicShape& mask) {
  ASSIGN_OR_RETURN(const ConvolutionShape shape, ResolveConvolution(attributes, x, w));
  if (shape.window.rank() > kMostAxes) {
    return absl::InvalidArgumentError(
        absl::StrCat("X has more than ", kMostAxes, " spatial dimensions"));
  }
  ASSIGN_OR_RETURN(const int64_t groups, OffsetGroups(attributes, shape.in_channels));
  Dim taps(groups);
  for (int64_t size : shape.window.kernel) taps = taps * (size < 0 ? Dim::Unknown() : Dim(size));
  RETURN_IF_ERROR(CheckPerPosition("offset", offset, shape, taps * Dim(shape.window.rank())));
  RETURN_IF_ERROR(CheckPerPosition("mask", mask, shape, taps));
  RETURN_IF_ERROR(CheckChannelVector("B", bias, shape.out_channels));
  return shape;
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckSameTypes(context, {kX, kW, kOffset, kB, kMask}));
  const auto given = [&](int i) {
    return context.has_input(i) ? context.shape(i) : SymbolicShape();
  };
  SymbolicShape x = given(kX), w = given(kW);
  if (!x.has_rank() && !w.has_rank()) {
    context.SetOutput(0, context.dtype(kX), SymbolicShape::UnknownRank());
    return absl::OkStatus();
  }
  if (!x.has_rank()) x = SymbolicShape::OfRank(w.rank());
  if (!w.has_rank()) w = SymbolicShape::OfRank(x.rank());
  ASSIGN_OR_RETURN(const ConvolutionShape shape,
                   Resolve(context.attributes(), x, w, given(kOffset), given(kB), given(kMask)));
  context.SetOutput(0, context.dtype(kX), shape.Output());
  return absl::OkStatus();
}

// The inputs as doubles; bias and mask are empty where they are absent.
struct Operands {
  std::vector<double> x, w, offset, bias, mask;
};

// Neighbours of a sampled position that lie inside a plane, with weights that add up to one where
// all of them do.
struct Sample {
  int count = 0;
  int64_t offsets[1 << kMostAxes];
  double weights[1 << kMostAxes];
};

Sample SampleAt(const Window& window, const double* position) {
  Sample sample;
  for (int corner = 0; corner < 1 << window.rank(); ++corner) {
    double weight = 1;
    int64_t offset = 0;
    for (int d = 0; d < window.rank() && weight != 0; ++d) {
      const double floor = std::floor(position[d]);
      const bool upper = (corner >> d & 1) != 0;
      const double at = upper ? floor + 1 : floor;
      const bool inside = at >= 0 && at < static_cast<double>(window.input[d]);
      weight *= !inside ? 0 : upper ? position[d] - floor : floor + 1 - position[d];
      offset = offset * window.input[d] + (inside ? static_cast<int64_t>(at) : 0);
    }
    if (weight == 0) continue;
    sample.offsets[sample.count] = offset;
    sample.weights[sample.count++] = weight;
  }
  return sample;
}

// One output position of one image: fills column[channel][tap] with what the taps see.
class Sampler {
 public:
  Sampler(const ConvolutionShape& shape, const Operands& operands, int64_t offset_groups)
      : window_(shape.window),
        operands_(operands),
        offset_groups_(offset_groups),
        group_channels_(shape.in_channels.value / offset_groups),
        taps_(window_.kernel_elements()),
        positions_(window_.output_elements()) {}

  void Fill(int64_t image, int64_t position, double* column) const {
    for (int64_t g = 0; g < offset_groups_; ++g) {
      for (int64_t t = 0; t < taps_; ++t) {
        const int64_t tap = (image * offset_groups_ + g) * taps_ + t;
        const Sample sample = At(tap, t, position);
        const double mask =
            operands_.mask.empty() ? 1 : operands_.mask[tap * positions_ + position];
        for (int64_t c = g * group_channels_; c < (g + 1) * group_channels_; ++c) {
          const int64_t plane = image * offset_groups_ * group_channels_ + c;
          const double* from = operands_.x.data() + plane * window_.input_elements();
          double sum = 0;
          for (int k = 0; k < sample.count; ++k) {
            sum += sample.weights[k] * from[sample.offsets[k]];
          }
          column[c * taps_ + t] = mask * sum;
        }
      }
    }
  }

 private:
  // `tap` counts through all images and groups, `t` through the kernel.
  Sample At(int64_t tap, int64_t t, int64_t position) const {
    double at[kMostAxes];
    int64_t rest = position;
    for (int d = window_.rank() - 1; d >= 0; --d) {
      const int64_t regular = rest % window_.output[d] * window_.strides[d] -
                              window_.pads_begin[d] + t % window_.kernel[d] * window_.dilations[d];
      const int64_t offset = (tap * window_.rank() + d) * positions_ + position;
      at[d] = static_cast<double>(regular) + operands_.offset[offset];
      rest /= window_.output[d];
      t /= window_.kernel[d];
    }
    return SampleAt(window_, at);
  }

  const Window& window_;
  const Operands& operands_;
  int64_t offset_groups_;
  int64_t group_channels_;
  int64_t taps_;
  int64_t positions_;
};

template <typename T>
void Convolve(const ConvolutionShape& shape, const Operands& operands, int64_t offset_groups,
              T* y) {
  const Sampler sampler(shape, operands, offset_groups);
  const int64_t positions = shape.window.output_elements();
  const int64_t channels = shape.out_channels.value;
  const int64_t group_size = shape.group_inputs() * shape.window.kernel_elements();
  std::vector<double> column(shape.in_channels.value * shape.window.kernel_elements());
  for (int64_t n = 0; n < shape.batch.value; ++n) {
    for (int64_t p = 0; p < positions; ++p) {
      sampler.Fill(n, p, column.data());
      for (int64_t m = 0; m < channels; ++m) {
        const double* from = column.data() + m / shape.group_outputs() * group_size;
        const double* weights = operands.w.data() + m * group_size;
        double sum = operands.bias.empty() ? 0 : operands.bias[m];
        for (int64_t i = 0; i < group_size; ++i) sum += from[i] * weights[i];
        y[(n * channels + m) * positions + p] = static_cast<T>(sum);
      }
    }
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kX);
  const auto given = [&](int i) {
    return context.has_input(i) ? SymbolicShape(context.input(i).shape()) : SymbolicShape();
  };
  ASSIGN_OR_RETURN(const ConvolutionShape shape, Resolve(context.attributes(), given(kX), given(kW),
                                                         given(kOffset), given(kB), given(kMask)));
  ASSIGN_OR_RETURN(const int64_t groups, OffsetGroups(context.attributes(), shape.in_channels));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape.Output().ToShape()));
  if (y->num_elements() == 0) return absl::OkStatus();
  Operands operands;
  std::vector<double>* const values[] = {&operands.x, &operands.w, &operands.offset, &operands.bias,
                                         &operands.mask};
  for (int i = kX; i <= kMask; ++i) {
    if (!context.has_input(i)) continue;
    ASSIGN_OR_RETURN(*values[i], ToDoubles(context.input(i)));
  }
  return DispatchFloat(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Convolve(shape, operands, groups, y->mutable_data<T>());
    return absl::OkStatus();
  });
}

}  // namespace

OpDef DeformConv() {
  return {.name = "DeformConv",
          .since = 22,
          .min_inputs = 3,
          .max_inputs = 5,
          .attributes = {{"dilations", AttributeKind::kInts},
                         {"group", AttributeKind::kInt},
                         {"kernel_shape", AttributeKind::kInts},
                         {"offset_group", AttributeKind::kInt},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
