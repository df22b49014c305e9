#include "engine/providers/cuda/moving_window.h"

namespace inferd::cuda {

MovingWindow MovingWindowOf(const Window& window) {
  MovingWindow moving;
  const int unused = 3 - window.rank();
  for (int d = 0; d < window.rank(); ++d) {
    moving.input[d + unused] = window.input[d];
    moving.output[d + unused] = window.output[d];
    moving.kernel[d + unused] = window.kernel[d];
    moving.stride[d + unused] = window.strides[d];
    moving.dilation[d + unused] = window.dilations[d];
    moving.pad[d + unused] = window.pads_begin[d];
    moving.pad_end[d + unused] = window.pads_end[d];
  }
  return moving;
}

}  // namespace inferd::cuda
