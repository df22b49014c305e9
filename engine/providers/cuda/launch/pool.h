#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// A window that moves over the last one to three dimensions of [batch, channels, ...]; unused ones
// are of size, kernel, stride and dilation 1. Strides say where elements lie, so that both memory
// orders are the same to it.
struct PoolRequest {
  const void* x = nullptr;
  void* y = nullptr;
  Type type = Type::kFloat32;
  bool average = false;  // else the maximum
  bool count_pads = false;
  int64_t batch = 1;
  int64_t channels = 1;
  bool channels_last = false;
  int64_t x_size[3] = {1, 1, 1};
  int64_t y_size[3] = {1, 1, 1};
  int64_t kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1};
  int64_t dilation[3] = {1, 1, 1};
  int64_t pad[3] = {0, 0, 0};      // in front
  int64_t pad_end[3] = {0, 0, 0};  // behind: what count_pads counts
};
void LaunchPool(const PoolRequest& request, Stream stream);

}  // namespace inferd::cuda
