#include "engine/ops/matmul.h"

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/ops/elementwise.h"

namespace inferd {
namespace {

SymbolicShape Leading(const SymbolicShape& shape, int count) {
  return SymbolicShape(std::vector<Dim>(shape.dims().begin(), shape.dims().begin() + count));
}

}  // namespace

absl::StatusOr<MatMulShape> ResolveMatMul(const SymbolicShape& a, const SymbolicShape& b,
                                          bool transpose_a, bool transpose_b) {
  MatMulShape result;
  if (!a.has_rank() || !b.has_rank()) return result;
  if (a.rank() == 0 || b.rank() == 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot multiply matrices ", a.ToString(),
                                                   " and ", b.ToString(), ": a scalar"));
  }
  const int a_stack = std::max(a.rank() - 2, 0);
  const int b_stack = std::max(b.rank() - 2, 0);
  result.m = a.rank() == 1 ? Dim(1) : a[a_stack + (transpose_a ? 1 : 0)];
  result.n = b.rank() == 1 ? Dim(1) : b[b_stack + (transpose_b ? 0 : 1)];
  result.k = a.rank() == 1 ? a[0] : a[a_stack + (transpose_a ? 0 : 1)];
  const Dim b_k = b.rank() == 1 ? b[0] : b[b_stack + (transpose_b ? 1 : 0)];
  if (result.k.known() && b_k.known() && result.k.value != b_k.value) {
    return absl::InvalidArgumentError(absl::StrCat("cannot multiply matrices ", a.ToString(),
                                                   " and ", b.ToString(), ": inner sizes ",
                                                   result.k.value, " and ", b_k.value));
  }
  if (!result.k.known()) result.k = b_k;
  ASSIGN_OR_RETURN(result.stack, BroadcastShapes(Leading(a, a_stack), Leading(b, b_stack)));
  std::vector<Dim> dims = result.stack.dims();
  if (a.rank() > 1) dims.push_back(result.m);
  if (b.rank() > 1) dims.push_back(result.n);
  result.output = SymbolicShape(std::move(dims));
  return result;
}

MatrixOffsets StackOffsets(const MatMulShape& shape, const Shape& a, const Shape& b) {
  const Shape stack = shape.stack.ToShape();
  const Shape a_stack(a.dims().subspan(0, std::max(a.rank() - 2, 0)));
  const Shape b_stack(b.dims().subspan(0, std::max(b.rank() - 2, 0)));
  const int64_t a_matrix = shape.m.value * shape.k.value;
  const int64_t b_matrix = shape.k.value * shape.n.value;
  const int64_t count = stack.num_elements();
  MatrixOffsets offsets;
  BroadcastWalk<2> walk(stack, {&a_stack, &b_stack});
  for (int64_t i = 0; i < count; ++i, walk.Next()) {
    offsets.a.push_back(walk.offset(0) * a_matrix);
    offsets.b.push_back(walk.offset(1) * b_matrix);
  }
  return offsets;
}

template <typename Acc>
void AddMatrixProduct(int64_t m, int64_t n, int64_t k, const Acc* a, const Acc* b, Acc* c) {
  // Four rows of b at a time, in column blocks that stay in the first-level cache.
  constexpr int64_t kColumns = 1024;
  for (int64_t begin = 0; begin < n; begin += kColumns) {
    const int64_t columns = std::min(kColumns, n - begin);
    for (int64_t i = 0; i < m; ++i) {
      const Acc* a_row = a + i * k;
      Acc* c_row = c + i * n + begin;
      int64_t p = 0;
      for (; p + 4 <= k; p += 4) {
        const Acc a0 = a_row[p], a1 = a_row[p + 1], a2 = a_row[p + 2], a3 = a_row[p + 3];
        const Acc* b0 = b + p * n + begin;
        const Acc* b1 = b0 + n;
        const Acc* b2 = b1 + n;
        const Acc* b3 = b2 + n;
        for (int64_t j = 0; j < columns; ++j) {
          c_row[j] += a0 * b0[j] + a1 * b1[j] + a2 * b2[j] + a3 * b3[j];
        }
      }
      for (; p < k; ++p) {
        const Acc a0 = a_row[p];
        const Acc* b0 = b + p * n + begin;
        for (int64_t j = 0; j < columns; ++j) c_row[j] += a0 * b0[j];
      }
    }
  }
}

template void AddMatrixProduct(int64_t, int64_t, int64_t, const float*, const float*, float*);
template void AddMatrixProduct(int64_t, int64_t, int64_t, const double*, const double*, double*);
template void AddMatrixProduct(int64_t, int64_t, int64_t, const uint32_t*, const uint32_t*,
                               uint32_t*);
template void AddMatrixProduct(int64_t, int64_t, int64_t, const uint64_t*, const uint64_t*,
                               uint64_t*);

}  // namespace inferd
