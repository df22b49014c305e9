#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/shape.h"
#include "engine/ops/accumulator.h"

namespace inferd {

// numpy's matrix product of stacks: [..., m, k] x [..., k, n], leading dimensions broadcast, a
// vector takes a missing 1 that is dropped again from the output. A value type.
struct MatMulShape {
  SymbolicShape output;
  Dim m, n, k;
  SymbolicShape stack;  // leading dimensions of the output
};
// Transposition exchanges the last two dimensions of operands of rank 2 or more.
absl::StatusOr<MatMulShape> ResolveMatMul(const SymbolicShape& a, const SymbolicShape& b,
                                          bool transpose_a = false, bool transpose_b = false);

// Element offsets of the matrices of A and B that make output matrix 0, 1, ...
struct MatrixOffsets {
  std::vector<int64_t> a;
  std::vector<int64_t> b;
};
// Requires concrete shapes that ResolveMatMul accepted.
MatrixOffsets StackOffsets(const MatMulShape& shape, const Shape& a, const Shape& b);

// c += a b, row-major: a [m,k], b [k,n], c [m,n]. Acc is float, double, uint32_t or uint64_t.
template <typename Acc>
void AddMatrixProduct(int64_t m, int64_t n, int64_t k, const Acc* a, const Acc* b, Acc* c);

// The transpose of a [rows,columns] matrix, as accumulators.
template <typename Acc, typename T>
std::vector<Acc> Transposed(const T* values, int64_t rows, int64_t columns) {
  std::vector<Acc> result(rows * columns);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      result[j * rows + i] = static_cast<Acc>(values[i * columns + j]);
    }
  }
  return result;
}

}  // namespace inferd
