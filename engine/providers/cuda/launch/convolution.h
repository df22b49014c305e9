#pragma once

#include "engine/providers/cuda/launch/moving_window.h"
#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// A convolution for what cuDNN does not take, and the addition behind one that it takes alone:
// channels-last.
struct ConvolutionRequest {
  const void* x = nullptr;
  const void* w = nullptr;  // [K,spatial...,C / groups]
  void* y = nullptr;
  Type type = Type::kFloat32;
  int64_t batch = 1;
  int64_t channels = 1;
  int64_t filters = 1;
  int64_t groups = 1;
  MovingWindow window;
};
void LaunchDirectConvolution(const ConvolutionRequest& request, Stream stream);

}  // namespace inferd::cuda
