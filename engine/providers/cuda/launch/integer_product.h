#pragma once

#include "engine/providers/cuda/launch/types.h"

// What is around a product of int8 matrices A [m,k] and B [k,n] that have zero points.
namespace inferd::cuda {

// Rows of 8 bits before the product: those that are unsigned less 128, so that they are signed, and
// the sum of each row as it then is.
struct IntegerRows {
  const void* from = nullptr;
  int8_t* to = nullptr;     // null: they are signed and stay where they are
  int32_t* sums = nullptr;  // null: not needed
  int64_t rows = 0;
  int64_t length = 0;
};
void LaunchIntegerRows(const IntegerRows& request, Stream stream);

// After the product: takes the zero points out of its sums,
//   sum - b_zeros[column] * row_sums[row] - (a_zero[row] - a_shift) * b_terms[column],
// in 32 bits that wrap around. Then, with scales, y = sum * a_scale * b_scale + bias, or with one
// of y, too, y = round(sum * a_scale * b_scale / y_scale) + y_zero, clamped to the range of 8 bits.
struct IntegerResult {
  const int32_t* sums = nullptr;
  const int32_t* row_sums = nullptr;  // null: B's zero points are all 0
  const int32_t* b_zeros = nullptr;
  const int32_t* b_terms = nullptr;
  const void* a_zero = nullptr;  // of 8 bits, one for all rows or for row number % a_zeros; null: 0
  bool a_unsigned = false;
  int32_t a_shift = 0;
  int64_t a_zeros = 1;
  int64_t rows = 0;
  int64_t columns = 0;
  void* y = nullptr;
  Type y_type = Type::kInt32;  // floats with scales, 8 bits with one of y

  const void* a_scale = nullptr;  // null: no scales
  const void* b_scale = nullptr;
  const void* bias = nullptr;     // for each column, as y; null: none
  const void* y_scale = nullptr;  // null: y is real
  const void* y_zero = nullptr;
  Type a_scale_type = Type::kFloat32;
  Type b_scale_type = Type::kFloat32;
  Type y_scale_type = Type::kFloat32;
  int64_t a_scales = 1;  // for row number % a_scales
  int64_t b_scales = 1;  // for column number % b_scales
};
void LaunchIntegerResult(const IntegerResult& request, Stream stream);

}  // namespace inferd::cuda
