#pragma once

#include "engine/providers/cuda/launch/moving_window.h"
#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// The maximum or average under a window that moves over [batch, channels, ...], in either memory
// order.
struct PoolRequest {
  const void* x = nullptr;
  void* y = nullptr;
  Type type = Type::kFloat32;
  bool average = false;     // else the maximum
  bool count_pads = false;  // as elements of the average
  int64_t batch = 1;
  int64_t channels = 1;
  bool channels_last = false;
  MovingWindow window;
};
void LaunchPool(const PoolRequest& request, Stream stream);

}  // namespace inferd::cuda
