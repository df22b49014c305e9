#pragma once

#include <cstdint>
#include <vector>

namespace inferd::cpu {

// A constant float matrix [depth, cols] and a bias for its columns, padded so that vectors of every
// instruction set can be loaded. Immutable.
struct PackedMatrix {
  // `bias` has `cols` floats or is null (zeros).
  PackedMatrix(const float* values, const float* bias, int64_t depth, int64_t cols);

  int64_t depth;
  int64_t cols;
  int64_t padded_cols;
  std::vector<float> values;  // [depth, padded_cols]
  std::vector<float> bias;    // [padded_cols]
};

// c = a b + bias for a [rows, b.depth] and c [rows, b.cols], both row after row. Meant for products
// with few columns or little depth; c must not overlap a.
void ProductF32(const float* a, int64_t rows, const PackedMatrix& b, float* c);

}  // namespace inferd::cpu
