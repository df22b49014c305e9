#pragma once

#include <cstdint>

namespace inferd::cpu {

// Elementwise functions of two floats.
enum class BinaryF32 : uint8_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMin,
  kMax,
  kPow,
  kPrelu,  // a < 0 ? a b : a
};

// y[i][j] = op(a[i][j], b[i][j]): y's rows follow each other, a's and b's are `a_row` and `b_row`
// elements apart (0 repeats one row), and along a row a step is `a_col` or `b_col` elements, where
// 1 and 0 (one value for the row) are fast and anything else is gathered.
// y may be a or b where that operand has y's own strides. NaN in either operand gives NaN.
struct BinaryRows {
  int64_t rows = 1;
  int64_t cols = 0;
  int64_t a_row = 0;
  int64_t b_row = 0;
  int64_t a_col = 1;
  int64_t b_col = 1;
};
void RunBinaryF32(BinaryF32 op, const BinaryRows& rows, const float* a, const float* b, float* y);

// y[i] = x[i] * scale[i] + shift[i] over `count` floats, or with one scale and shift for all.
void RunScaleShiftF32(const float* x, const float* scale, const float* shift, float* y,
                      int64_t count);
void RunScaleShiftF32(const float* x, float scale, float shift, float* y, int64_t count);

}  // namespace inferd::cpu
