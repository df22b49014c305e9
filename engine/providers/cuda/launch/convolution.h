#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// A convolution for what cuDNN does not take, and the addition behind one that it takes alone:
// channels-last, up to three spatial dimensions (unused ones in front, of size 1).
struct ConvolutionRequest {
  const void* x = nullptr;
  const void* w = nullptr;  // [K,spatial...,C / groups]
  void* y = nullptr;
  Type type = Type::kFloat32;
  int64_t batch = 1;
  int64_t channels = 1;
  int64_t filters = 1;
  int64_t groups = 1;
  int64_t x_size[3] = {1, 1, 1};
  int64_t y_size[3] = {1, 1, 1};
  int64_t kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1};
  int64_t dilation[3] = {1, 1, 1};
  int64_t pad[3] = {0, 0, 0};
};
void LaunchDirectConvolution(const ConvolutionRequest& request, Stream stream);

}  // namespace inferd::cuda
