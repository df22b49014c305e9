#pragma once

#include <cstdint>

namespace inferd::cuda {

// A window that moves over up to three spatial dimensions; unused ones are in front, of size 1. A
// value type.
struct MovingWindow {
  int64_t input[3] = {1, 1, 1};
  int64_t output[3] = {1, 1, 1};
  int64_t kernel[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1};
  int64_t dilation[3] = {1, 1, 1};
  int64_t pad[3] = {0, 0, 0};      // in front
  int64_t pad_end[3] = {0, 0, 0};  // behind
};

}  // namespace inferd::cuda
