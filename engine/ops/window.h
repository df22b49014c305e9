#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/core/shape.h"
#include "engine/graph/attributes.h"

namespace inferd {

// The geometry of a convolution or pooling window, one entry per spatial dimension. An entry is -1
// where it follows from a dimension that is not known yet; ResolveWindow over known dimensions
// leaves none. Sizes, strides, dilations are >= 1, pads >= 0, each below 2^31. A value type.
struct Window {
  Shape::Dims input;
  Shape::Dims kernel;
  Shape::Dims strides;
  Shape::Dims dilations;
  Shape::Dims pads_begin;
  Shape::Dims pads_end;
  Shape::Dims output;

  int rank() const { return static_cast<int>(kernel.size()); }
  // Products of the entries; they require known entries.
  int64_t input_elements() const;
  int64_t kernel_elements() const;
  int64_t output_elements() const;
};

// The window of Conv or a pool: attributes kernel_shape, strides, dilations, pads, auto_pad and
// ceil_mode over the spatial dimensions `input`. `kernel` holds the spatial dimensions of the
// weights, or is empty for a pool, which takes kernel_shape alone. INVALID_ARGUMENT naming the
// attribute for wrong lengths or values, and for a kernel larger than the padded input.
absl::StatusOr<Window> ResolveWindow(const Attributes& attributes, absl::Span<const Dim> input,
                                     absl::Span<const Dim> kernel);

// The same for ConvTranspose (also output_padding and output_shape). `input` holds the spatial
// dimensions of X, `output` those of Y; the pads are what is cut from Y's borders.
absl::StatusOr<Window> ResolveTransposedWindow(const Attributes& attributes,
                                               absl::Span<const Dim> input,
                                               absl::Span<const Dim> kernel);

// The output's spatial dimensions. Where a window provably keeps the size, the input's symbol too.
std::vector<Dim> OutputDims(const Window& window, absl::Span<const Dim> input);

// The taps t of dimension i that lie inside the input when the window starts at input position
// `start` (negative inside the padding): t in [begin, end).
struct TapRange {
  int64_t begin;
  int64_t end;
};
TapRange TapsInside(const Window& window, int i, int64_t start);

}  // namespace inferd
