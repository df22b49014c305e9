#pragma once

#include <cstdint>

namespace inferd {

// Gauss and Jordan's elimination with the largest pivot of each column: turns `matrix` [n,n] into
// the identity and `right` [n,columns] into the solution of matrix * X = right. False when the
// matrix is singular.
bool SolveLinearSystem(int64_t n, double* matrix, int64_t columns, double* right);

}  // namespace inferd
