#pragma once

#include <cuda_runtime.h>

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// Blocks of `block` threads, `grid` of them, of a kernel. What goes wrong is found by who asks for
// the last error. For .cu files.
template <typename... Parameters, typename... Arguments>
void LaunchGrid(void (*kernel)(Parameters...), unsigned grid, dim3 block, Stream stream,
                const Arguments&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(grid);
  config.blockDim = block;
  config.stream = stream;
  cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...);
}

}  // namespace inferd::cuda
