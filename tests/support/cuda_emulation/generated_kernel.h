#pragma once

// Included before the source of every kernel that is compiled while a test runs: enough of CUDA's
// language, the running thread being of the library that the kernel becomes.

#include <math.h>

#include <cstdint>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

extern "C" {
struct EmulatedIndex {
  unsigned x, y, z;
};
EmulatedIndex threadIdx;
EmulatedIndex blockIdx;
EmulatedIndex blockDim;
EmulatedIndex gridDim;
}
