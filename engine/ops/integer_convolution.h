#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/ops/convolution.h"

namespace inferd {

// The convolution of 8-bit tensors less their zero points, as wrapped 32-bit sums in row-major
// order of shape.Output(). Zero points are null or scalar; that of W may be one an output channel.
// `bias` is null or int32 [M]. INVALID_ARGUMENT for other zero points or types.
absl::StatusOr<std::vector<uint32_t>> IntegerConvolution(const ConvolutionShape& shape,
                                                         const Tensor& x, const Tensor* x_zero,
                                                         const Tensor& w, const Tensor* w_zero,
                                                         const Tensor* bias);

}  // namespace inferd
