#include "engine/ops/linear_system.h"

#include <algorithm>
#include <cmath>

namespace inferd {

bool SolveLinearSystem(int64_t n, double* matrix, int64_t columns, double* right) {
  const struct {
    double* values;
    int64_t width;
  } sides[] = {{matrix, n}, {right, columns}};
  for (int64_t column = 0; column < n; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < n; ++row) {
      if (std::abs(matrix[row * n + column]) > std::abs(matrix[pivot * n + column])) pivot = row;
    }
    const double scale = matrix[pivot * n + column];
    if (scale == 0) return false;
    for (const auto& [m, width] : sides) {
      if (pivot != column) {
        std::swap_ranges(m + pivot * width, m + (pivot + 1) * width, m + column * width);
      }
      for (int64_t i = 0; i < width; ++i) m[column * width + i] /= scale;
    }
    for (int64_t row = 0; row < n; ++row) {
      const double factor = matrix[row * n + column];
      if (row == column || factor == 0) continue;
      for (const auto& [m, width] : sides) {
        for (int64_t i = 0; i < width; ++i) m[row * width + i] -= factor * m[column * width + i];
      }
    }
  }
  return true;
}

}  // namespace inferd
