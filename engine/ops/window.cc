#include "engine/ops/window.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/core/status_macros.h"

namespace inferd {
namespace {

constexpr int64_t kLimit = int64_t{1} << 31;
// No dimension is larger, so that sums and products with the above cannot overflow.
constexpr int64_t kSizeLimit = int64_t{1} << 31;

// Attribute `name` as `count` numbers in [least, 2^31), or `missing` repeated.
absl::StatusOr<Shape::Dims> ReadInts(const Attributes& attributes, absl::string_view name,
                                     int count, int64_t least, int64_t missing) {
  const std::vector<int64_t>& values = attributes.Ints(name);
  if (values.empty()) return Shape::Dims(count, missing);
  if (static_cast<int>(values.size()) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("attribute ", name, " has ", values.size(), " values, expected ", count));
  }
  for (int64_t value : values) {
    if (value < least || value >= kLimit) {
      return absl::InvalidArgumentError(absl::StrCat("attribute ", name, " is [",
                                                     absl::StrJoin(values, ","),
                                                     "], expected values from ", least));
    }
  }
  return Shape::Dims(values.begin(), values.end());
}

Shape::Dims Sizes(absl::Span<const Dim> dims) {
  Shape::Dims sizes;
  for (const Dim& dim : dims) sizes.push_back(dim.value);
  return sizes;
}

absl::Status ReadKernel(const Attributes& attributes, absl::Span<const Dim> weights,
                        Window* window) {
  const int rank = static_cast<int>(window->input.size());
  if (weights.empty() && !attributes.Has("kernel_shape")) {
    return absl::InvalidArgumentError("attribute kernel_shape is missing");
  }
  ASSIGN_OR_RETURN(window->kernel, ReadInts(attributes, "kernel_shape", rank, 1, -1));
  if (weights.empty()) return absl::OkStatus();
  if (static_cast<int>(weights.size()) != rank) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights have ", weights.size(), " spatial dimensions, the input has ", rank));
  }
  for (int i = 0; i < rank; ++i) {
    if (!weights[i].known()) continue;
    if (weights[i].value < 1 || weights[i].value >= kLimit) {
      return absl::InvalidArgumentError(
          absl::StrCat("weights have spatial dimension ", weights[i].value));
    }
    if (window->kernel[i] >= 0 && window->kernel[i] != weights[i].value) {
      return absl::InvalidArgumentError(absl::StrCat("attribute kernel_shape has ",
                                                     window->kernel[i], " at ", i,
                                                     ", the weights have ", weights[i].value));
    }
    window->kernel[i] = weights[i].value;
  }
  return absl::OkStatus();
}

// Everything that does not depend on the input's sizes. Pads stay 0 under auto_pad.
absl::StatusOr<Window> ReadWindow(const Attributes& attributes, absl::Span<const Dim> input,
                                  absl::Span<const Dim> weights, absl::string_view auto_pad) {
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && auto_pad != "SAME_UPPER" &&
      auto_pad != "SAME_LOWER") {
    return absl::InvalidArgumentError(absl::StrCat("attribute auto_pad is \"", auto_pad, "\""));
  }
  const int rank = static_cast<int>(input.size());
  Window window;
  window.input = Sizes(input);
  for (int64_t size : window.input) {
    if (size > kSizeLimit) {
      return absl::InvalidArgumentError(absl::StrCat("input has spatial dimension ", size));
    }
  }
  RETURN_IF_ERROR(ReadKernel(attributes, weights, &window));
  ASSIGN_OR_RETURN(window.strides, ReadInts(attributes, "strides", rank, 1, 1));
  ASSIGN_OR_RETURN(window.dilations, ReadInts(attributes, "dilations", rank, 1, 1));
  window.pads_begin.assign(rank, 0);
  window.pads_end.assign(rank, 0);
  window.output.assign(rank, -1);
  if (auto_pad == "NOTSET") {
    ASSIGN_OR_RETURN(const Shape::Dims pads, ReadInts(attributes, "pads", 2 * rank, 0, 0));
    std::copy_n(pads.begin(), rank, window.pads_begin.begin());
    std::copy_n(pads.begin() + rank, rank, window.pads_end.begin());
  }
  return window;
}

// The input positions a window spans from its first to its last tap.
int64_t Extent(const Window& window, int i) {
  return (window.kernel[i] - 1) * window.dilations[i] + 1;
}

void SplitPadding(int64_t total, bool more_at_end, int64_t* begin, int64_t* end) {
  *begin = more_at_end ? total / 2 : total - total / 2;
  *end = total - *begin;
}

void ResolveSame(Window* window, int i, bool upper) {
  const int64_t stride = window->strides[i];
  const bool unknown = window->input[i] < 0 || window->kernel[i] < 0;
  if (window->input[i] >= 0) window->output[i] = (window->input[i] + stride - 1) / stride;
  if (unknown) {
    window->pads_begin[i] = window->pads_end[i] = -1;
    return;
  }
  const int64_t needed = (window->output[i] - 1) * stride + Extent(*window, i) - window->input[i];
  SplitPadding(std::max<int64_t>(needed, 0), upper, &window->pads_begin[i], &window->pads_end[i]);
}

absl::Status ResolveExplicit(Window* window, int i, bool ceil_mode) {
  if (window->input[i] < 0 || window->kernel[i] < 0) return absl::OkStatus();
  const int64_t stride = window->strides[i];
  const int64_t padded = window->input[i] + window->pads_begin[i] + window->pads_end[i];
  const int64_t slack = padded - Extent(*window, i);
  if (slack < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "kernel of size ", window->kernel[i], " with dilation ", window->dilations[i],
        " does not fit the padded input of size ", padded, " in spatial dimension ", i));
  }
  window->output[i] = (ceil_mode ? (slack + stride - 1) / stride : slack / stride) + 1;
  // A last window that starts in the padding behind the input is dropped.
  if (ceil_mode && (window->output[i] - 1) * stride >= window->input[i] + window->pads_begin[i]) {
    --window->output[i];
  }
  return absl::OkStatus();
}

absl::Status ResolveTransposedDim(Window* window, int i, int64_t output_padding,
                                  int64_t wanted_output, absl::string_view auto_pad) {
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (wanted_output < 0 && same && window->input[i] >= 0) {
    wanted_output = window->input[i] * window->strides[i];
  }
  if (window->input[i] < 0 || window->kernel[i] < 0) {
    window->output[i] = wanted_output;
    if (same || wanted_output >= 0) window->pads_begin[i] = window->pads_end[i] = -1;
    return absl::OkStatus();
  }
  const int64_t full =
      window->strides[i] * (window->input[i] - 1) + output_padding + Extent(*window, i);
  if (wanted_output >= 0) {
    SplitPadding(std::max<int64_t>(full - wanted_output, 0), auto_pad == "SAME_UPPER",
                 &window->pads_begin[i], &window->pads_end[i]);
    window->output[i] = wanted_output;
    return absl::OkStatus();
  }
  window->output[i] = full - window->pads_begin[i] - window->pads_end[i];
  if (window->output[i] < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("pads ", window->pads_begin[i], " and ", window->pads_end[i],
                     " cut more than the output of size ", full, " in spatial dimension ", i));
  }
  return absl::OkStatus();
}

int64_t ProductOf(const Shape::Dims& dims) {
  int64_t product = 1;
  for (int64_t dim : dims) product *= dim;
  return product;
}

}  // namespace

int64_t Window::input_elements() const { return ProductOf(input); }
int64_t Window::kernel_elements() const { return ProductOf(kernel); }
int64_t Window::output_elements() const { return ProductOf(output); }

absl::StatusOr<Window> ResolveWindow(const Attributes& attributes, absl::Span<const Dim> input,
                                     absl::Span<const Dim> kernel) {
  const std::string auto_pad = attributes.String("auto_pad", "NOTSET");
  // With VALID both roundings give the same size.
  const bool ceil_mode = attributes.Int("ceil_mode", 0) != 0 && auto_pad == "NOTSET";
  ASSIGN_OR_RETURN(Window window, ReadWindow(attributes, input, kernel, auto_pad));
  for (int i = 0; i < window.rank(); ++i) {
    if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
      ResolveSame(&window, i, auto_pad == "SAME_UPPER");
    } else {
      RETURN_IF_ERROR(ResolveExplicit(&window, i, ceil_mode));
    }
  }
  return window;
}

absl::StatusOr<Window> ResolveTransposedWindow(const Attributes& attributes,
                                               absl::Span<const Dim> input,
                                               absl::Span<const Dim> kernel) {
  const std::string auto_pad = attributes.String("auto_pad", "NOTSET");
  const int rank = static_cast<int>(input.size());
  ASSIGN_OR_RETURN(Window window, ReadWindow(attributes, input, kernel, auto_pad));
  ASSIGN_OR_RETURN(const Shape::Dims padding, ReadInts(attributes, "output_padding", rank, 0, 0));
  // Some exporters write the whole output shape; its last entries are the spatial ones.
  const int surplus = static_cast<int>(attributes.Ints("output_shape").size()) == rank + 2 ? 2 : 0;
  ASSIGN_OR_RETURN(const Shape::Dims wanted,
                   ReadInts(attributes, "output_shape", rank + surplus, 0, -1));
  for (int i = 0; i < rank; ++i) {
    RETURN_IF_ERROR(ResolveTransposedDim(&window, i, padding[i], wanted[i + surplus], auto_pad));
  }
  return window;
}

std::vector<Dim> OutputDims(const Window& window, absl::Span<const Dim> input) {
  std::vector<Dim> dims;
  for (int i = 0; i < window.rank(); ++i) {
    const bool known_geometry = window.kernel[i] >= 0 && window.pads_begin[i] >= 0;
    const bool keeps_size =
        window.strides[i] == 1 &&
        (known_geometry ? window.pads_begin[i] + window.pads_end[i] == Extent(window, i) - 1
                        : window.pads_begin[i] < 0);
    if (window.output[i] < 0 && keeps_size) {
      dims.push_back(input[i]);
    } else {
      dims.push_back(window.output[i] < 0 ? Dim::Unknown() : Dim(window.output[i]));
    }
  }
  return dims;
}

TapRange TapsInside(const Window& window, int i, int64_t start) {
  const int64_t dilation = window.dilations[i];
  TapRange range;
  range.begin = start >= 0 ? 0 : std::min((-start + dilation - 1) / dilation, window.kernel[i]);
  const int64_t room = window.input[i] - start;
  range.end = room <= 0 ? 0 : std::min((room + dilation - 1) / dilation, window.kernel[i]);
  range.end = std::max(range.end, range.begin);
  return range;
}

}  // namespace inferd
