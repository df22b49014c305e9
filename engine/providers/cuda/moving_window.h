#pragma once

#include "engine/ops/window.h"
#include "engine/providers/cuda/launch/moving_window.h"

namespace inferd::cuda {

// A resolved window of one to three dimensions as kernels take it.
MovingWindow MovingWindowOf(const Window& window);

}  // namespace inferd::cuda
