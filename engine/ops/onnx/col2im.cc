#include <complex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/accumulator.h"
#include "engine/ops/op_def.h"
#include "engine/ops/type_check.h"
#include "engine/ops/window_taps.h"

namespace inferd::ops::onnx {
namespace {

enum Input { kColumns, kImageShape, kBlockShape };

std::vector<Dim> ToDims(const std::vector<int64_t>& sizes) {
  return std::vector<Dim>(sizes.begin(), sizes.end());
}

// The image as the input of a window that visits the blocks; columns are its output positions.
absl::StatusOr<Window> ResolveBlocks(const Attributes& attributes,
                                     const std::vector<int64_t>& image,
                                     const std::vector<int64_t>& block) {
  if (image.empty()) return absl::InvalidArgumentError("image_shape is empty");
  for (int64_t size : image) {
    if (size < 1) return absl::InvalidArgumentError(absl::StrCat("image_shape has ", size));
  }
  if (block.size() != image.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("block_shape has ", block.size(), " values, image_shape has ", image.size()));
  }
  ASSIGN_OR_RETURN(const Window window, ResolveWindow(attributes, ToDims(image), ToDims(block)));
  for (const Shape::Dims& dims : {window.input, window.kernel, window.output}) {
    RETURN_IF_ERROR(Shape(dims).CheckedElements().status());
  }
  return window;
}

// Channels of the image; unknown where the columns are.
absl::StatusOr<Dim> CheckColumns(const Window& window, const SymbolicShape& columns) {
  if (!columns.has_rank()) return Dim::Unknown();
  const int64_t taps = window.kernel_elements(), blocks = window.output_elements();
  const bool fits = columns.rank() == 3 && (!columns[1].known() || columns[1].value % taps == 0) &&
                    (!columns[2].known() || columns[2].value == blocks);
  if (!fits) {
    return absl::InvalidArgumentError(absl::StrCat("input has shape ", columns.ToString(),
                                                   ", expected [N,C*", taps, ",", blocks, "]"));
  }
  return columns[1].known() ? Dim(columns[1].value / taps) : Dim::Unknown();
}

absl::Status Infer(InferContext& context) {
  RETURN_IF_ERROR(CheckInputType(context, kImageShape, {DType::kInt64}));
  RETURN_IF_ERROR(CheckInputType(context, kBlockShape, {DType::kInt64}));
  const SymbolicShape& columns = context.shape(kColumns);
  ASSIGN_OR_RETURN(const auto image, context.Int64s(kImageShape));
  ASSIGN_OR_RETURN(const auto block, context.Int64s(kBlockShape));
  const Dim batch = columns.rank() == 3 ? columns[0] : Dim::Unknown();
  SymbolicShape shape;
  if (image && block) {
    ASSIGN_OR_RETURN(const Window window, ResolveBlocks(context.attributes(), *image, *block));
    ASSIGN_OR_RETURN(const Dim channels, CheckColumns(window, columns));
    shape = {batch, channels};
  }
  if (image) {
    if (!block) shape = {batch, Dim::Unknown()};
    for (int64_t size : *image) shape.mutable_dims().push_back(Dim(size));
  }
  context.SetOutput(0, context.dtype(kColumns), std::move(shape));
  return absl::OkStatus();
}

// Adds the columns of one channel to its image. Text is joined and truth values are or-ed.
template <typename T>
void AddColumns(const Window& window, const T* columns, T* image) {
  const int64_t stride = window.strides[window.rank() - 1];
  TapWalk walk(window);
  for (Tap tap; walk.Next(&tap);) {
    const T* column = columns + tap.index * window.output_elements();
    ForEachRow(window, tap, [&](int64_t to, int64_t from, int64_t count) {
      for (int64_t j = 0; j < count; ++j) {
        T& pixel = image[to + j * stride];
        if constexpr (std::is_same_v<T, bool>) {
          pixel = pixel || column[from + j];
        } else if constexpr (std::is_same_v<T, std::string>) {
          pixel += column[from + j];
        } else if constexpr (std::is_integral_v<T>) {
          using Acc = AccumulatorOf<T>;
          pixel = static_cast<T>(static_cast<Acc>(pixel) + static_cast<Acc>(column[from + j]));
        } else {
          pixel = T(pixel + column[from + j]);
        }
      }
    });
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(kColumns);
  ASSIGN_OR_RETURN(const std::vector<int64_t> image, context.input(kImageShape).ToInt64s());
  ASSIGN_OR_RETURN(const std::vector<int64_t> block, context.input(kBlockShape).ToInt64s());
  ASSIGN_OR_RETURN(const Window window, ResolveBlocks(context.attributes(), image, block));
  ASSIGN_OR_RETURN(const Dim channels, CheckColumns(window, x.shape()));
  Shape shape({x.dim(0), channels.value});
  for (int64_t size : image) shape.push_back(size);
  RETURN_IF_ERROR(shape.CheckedElements().status());
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, int16_t, int32_t, int64_t, uint8_t,
                       uint16_t, uint32_t, uint64_t, bool, std::string, std::complex<float>,
                       std::complex<double>>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::fill_n(y->mutable_data<T>(), y->num_elements(), T());
    const int64_t column_plane = window.kernel_elements() * window.output_elements();
    for (int64_t i = 0; i < x.dim(0) * channels.value; ++i) {
      AddColumns(window, x.data<T>() + i * column_plane,
                 y->mutable_data<T>() + i * window.input_elements());
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef Col2im() {
  return {.name = "Col2Im",
          .since = 18,
          .min_inputs = 3,
          .max_inputs = 3,
          .attributes = {{"dilations", AttributeKind::kInts},
                         {"pads", AttributeKind::kInts},
                         {"strides", AttributeKind::kInts}},
          .infer = Infer,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
