#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "engine/core/status_macros.h"
#include "engine/ops/infer_context.h"
#include "engine/ops/kernel_context.h"

namespace inferd {

// Walks the elements of `shape` in row-major order and keeps, for each of N operands that broadcast
// to it, the offset of the matching element. Used by one thread at a time.
template <int N>
class BroadcastWalk {
 public:
  BroadcastWalk(const Shape& shape, const std::array<const Shape*, N>& operands) : shape_(shape) {
    for (int k = 0; k < N; ++k) {
      const Shape& operand = *operands[k];
      const Shape::Dims strides = operand.RowMajorStrides();
      strides_[k].assign(shape.rank(), 0);
      const int lead = shape.rank() - operand.rank();
      for (int i = 0; i < operand.rank(); ++i) {
        strides_[k][lead + i] = operand[i] == 1 ? 0 : strides[i];
      }
    }
    index_.assign(shape.rank(), 0);
    offsets_.fill(0);
  }
  int64_t offset(int k) const { return offsets_[k]; }
  void Next() { Advance(shape_.rank() - 1); }
  // Moves on by a row, the last dimension; only from the start of one. A scalar is one row.
  void NextRow() { Advance(shape_.rank() - 2); }
  int64_t row_length() const { return shape_.rank() == 0 ? 1 : shape_[shape_.rank() - 1]; }
  // Operand k's distance between neighbours in a row: 0 or 1.
  int64_t step(int k) const { return shape_.rank() == 0 ? 0 : strides_[k].back(); }

 private:
  void Advance(int dimension) {
    for (int i = dimension; i >= 0; --i) {
      for (int k = 0; k < N; ++k) offsets_[k] += strides_[k][i];
      if (++index_[i] < shape_[i]) return;
      for (int k = 0; k < N; ++k) offsets_[k] -= strides_[k][i] * shape_[i];
      index_[i] = 0;
    }
  }

  const Shape& shape_;
  std::array<Shape::Dims, N> strides_;
  Shape::Dims index_;
  std::array<int64_t, N> offsets_;
};

// output[i] = fn(input[i]), both of dtype T.
template <typename T, typename Fn>
absl::Status MapUnary(KernelContext& context, Fn fn) {
  const Tensor& x = context.input(0);
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, x.dtype(), x.shape()));
  std::transform(x.data<T>(), x.data<T>() + x.num_elements(), y->mutable_data<T>(), fn);
  return absl::OkStatus();
}

// The same for any floating-point type: fn sees a float, or a double for float64.
template <typename Fn>
absl::Status MapUnaryFloat(KernelContext& context, Fn fn) {
  return DispatchFloat(context.input(0).dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    return MapUnary<T>(context, [fn](T x) { return T(fn(Wide(x))); });
  });
}

// INVALID_ARGUMENT unless all inputs are there and have input 0's type: kernels read them as that.
inline absl::Status CheckOneType(const KernelContext& context) {
  for (int i = 1; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is absent"));
    }
    if (context.input(i).dtype() != context.input(0).dtype()) {
      return absl::InvalidArgumentError(absl::StrCat("input ", i, " is ",
                                                     context.input(i).TypeString(), ", input 0 ",
                                                     context.input(0).TypeString()));
    }
  }
  return absl::OkStatus();
}

// output = fn(a, b) with broadcasting; the output has C++ type Out.
template <typename In, typename Out, typename Fn>
absl::Status MapBinary(KernelContext& context, Fn fn) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  RETURN_IF_ERROR(CheckOneType(context));
  ASSIGN_OR_RETURN(const Shape shape, BroadcastShapes(a.shape(), b.shape()));
  ASSIGN_OR_RETURN(Tensor * y, context.Output(0, DTypeOf<Out>(), shape));
  const int64_t count = shape.num_elements();
  const In* left = a.data<In>();
  const In* right = b.data<In>();
  Out* out = y->mutable_data<Out>();
  if (a.shape() == b.shape()) {
    for (int64_t i = 0; i < count; ++i) out[i] = fn(left[i], right[i]);
  } else if (a.num_elements() == count && b.num_elements() == 1) {
    const In scalar = *right;
    for (int64_t i = 0; i < count; ++i) out[i] = fn(left[i], scalar);
  } else if (b.num_elements() == count && a.num_elements() == 1) {
    const In scalar = *left;
    for (int64_t i = 0; i < count; ++i) out[i] = fn(scalar, right[i]);
  } else {
    BroadcastWalk<2> walk(shape, {&a.shape(), &b.shape()});
    const int64_t left_step = walk.step(0);
    const int64_t right_step = walk.step(1);
    for (int64_t i = 0; i < count; i += walk.row_length(), walk.NextRow()) {
      const In* x = left + walk.offset(0);
      const In* z = right + walk.offset(1);
      for (int64_t j = 0; j < walk.row_length(); ++j) {
        out[i + j] = fn(x[j * left_step], z[j * right_step]);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace inferd
