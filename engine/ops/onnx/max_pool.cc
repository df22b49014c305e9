#include <limits>

#include "engine/ops/op_def.h"
#include "engine/ops/pooling.h"

namespace inferd::ops::onnx {
namespace {

template <typename T>
T Lowest() {
  if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
    return T(-std::numeric_limits<float>::infinity());
  } else if constexpr (std::is_floating_point_v<T>) {
    return -std::numeric_limits<T>::infinity();
  } else {
    return std::numeric_limits<T>::lowest();
  }
}

// The maximum of each window of one plane; `indices`, unless null, get its offset in the plane.
template <typename T>
void PoolPlane(const Window& window, const T* x, T* y, int64_t* indices) {
  const int64_t count = window.output_elements();
  const int64_t stride = window.strides[window.rank() - 1];
  std::fill_n(y, count, Lowest<T>());
  if (indices != nullptr) std::fill_n(indices, count, -1);
  TapWalk walk(window);
  for (Tap tap; walk.Next(&tap);) {
    ForEachRow(window, tap, [&](int64_t from, int64_t to, int64_t row) {
      if (indices == nullptr) {
        for (int64_t j = 0; j < row; ++j) {
          const T value = x[from + j * stride];
          // The second comparison keeps NaN.
          y[to + j] = value > y[to + j] || value != value ? value : y[to + j];
        }
        return;
      }
      for (int64_t j = 0; j < row; ++j) {
        const T value = x[from + j * stride];
        if (indices[to + j] >= 0 && !(value > y[to + j])) continue;
        y[to + j] = value;
        indices[to + j] = from + j * stride;
      }
    });
  }
}

// Offsets of one plane in column-major order instead, as storage_order 1 asks for.
void ToColumnMajor(const Window& window, int64_t* indices) {
  for (int64_t i = 0; i < window.output_elements(); ++i) {
    if (indices[i] < 0) continue;
    int64_t rest = indices[i];
    int64_t plane = window.input_elements();
    int64_t offset = 0;
    for (int d = window.rank() - 1; d >= 0; --d) {
      plane /= window.input[d];
      offset += rest % window.input[d] * plane;
      rest /= window.input[d];
    }
    indices[i] = offset;
  }
}

absl::Status Compute(KernelContext& context) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(const Window window, ResolvePool(context.attributes(), x.shape()));
  const Shape shape = PoolOutput(x.shape(), window);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), shape));
  int64_t* indices = nullptr;
  if (context.wants_output(1)) {
    ASSIGN_OR_RETURN(Tensor * output, context.Output(1, DType::kInt64, shape));
    indices = output->mutable_data<int64_t>();
  }
  if (y->num_elements() == 0) return absl::OkStatus();
  const bool column_major = context.attributes().Int("storage_order", 0) != 0;
  const int64_t planes = shape[0] * shape[1];
  const int64_t x_plane = window.input_elements();
  const int64_t y_plane = window.output_elements();
  return DispatchTypes<float, double, Float16, Bfloat16, int8_t, uint8_t>(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t p = 0; p < planes; ++p) {
      int64_t* found = indices == nullptr ? nullptr : indices + p * y_plane;
      PoolPlane(window, x.data<T>() + p * x_plane, y->mutable_data<T>() + p * y_plane, found);
      if (found == nullptr) continue;
      if (column_major) ToColumnMajor(window, found);
      // Indices count through the whole input.
      for (int64_t i = 0; i < y_plane; ++i) found[i] += found[i] < 0 ? 0 : p * x_plane;
    }
    return absl::OkStatus();
  });
}

}  // namespace

OpDef MaxPool() {
  return {.name = "MaxPool",
          .since = 22,
          .max_outputs = 2,
          .attributes = {{"auto_pad", AttributeKind::kString},
                         {"ceil_mode", AttributeKind::kInt},
                         {"dilations", AttributeKind::kInts},
                         {"kernel_shape", AttributeKind::kInts, true},
                         {"pads", AttributeKind::kInts},
                         {"storage_order", AttributeKind::kInt},
                         {"strides", AttributeKind::kInts}},
          .infer = InferPool,
          .compute = Compute};
}

}  // namespace inferd::ops::onnx
