#pragma once

#include <cstdint>

#include "engine/core/float16.h"

namespace inferd::cpu {

// Functions of whole rows of floats. y may be x in each of them; otherwise they must not overlap.

// Softmax of `rows` rows of `cols` floats that follow each other; with `log` its logarithm.
void SoftmaxRowsF32(const float* x, float* y, int64_t rows, int64_t cols, bool log);
// Softmax down the columns of a [size, inner] block: over `size` for each of `inner` columns.
// `scratch` has room for 2 * inner floats.
void SoftmaxColumnsF32(const float* x, float* y, int64_t size, int64_t inner, bool log,
                       float* scratch);

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias for each row. scale and bias have `cols`
// floats and may be null.
void LayerNormRowsF32(const float* x, const float* scale, const float* bias, float epsilon,
                      float* y, int64_t rows, int64_t cols);
// y = x / sqrt(mean of squares + epsilon) * scale.
void RmsNormRowsF32(const float* x, const float* scale, float epsilon, float* y, int64_t rows,
                    int64_t cols);
// One row: *mean and *deviation = sqrt(variance + epsilon).
void MomentsF32(const float* x, int64_t count, float epsilon, float* mean, float* deviation);

// y[j] = sum of weights[t] * x[t][j] over `terms` (at least 1) rows. y must not overlap the rows.
void WeightedSumF32(const float* const* x, const float* weights, int64_t terms, float* y,
                    int64_t count);

enum class ReduceF32 : uint8_t { kSum, kMax, kMin, kSumSquare, kSumAbs };

// y[i] = reduction of row i times `factor` (for means).
void ReduceRowsF32(ReduceF32 op, const float* x, float* y, int64_t rows, int64_t cols,
                   float factor);
void ReduceRowsF32(ReduceF32 op, const Bfloat16* x, float* y, int64_t rows, int64_t cols,
                   float factor);
// y[j] = reduction of column j of a [size, inner] block, times `factor`. `scratch` has room for
// `inner` floats. Requires size > 0.
void ReduceColumnsF32(ReduceF32 op, const float* x, float* y, int64_t size, int64_t inner,
                      float factor, float* scratch);
void ReduceColumnsF32(ReduceF32 op, const Bfloat16* x, float* y, int64_t size, int64_t inner,
                      float factor, float* scratch);

}  // namespace inferd::cpu
