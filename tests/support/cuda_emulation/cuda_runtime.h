#pragma once

// Enough of CUDA's language for g++ to compile the provider's .cu files: a launch runs its blocks
// one after the other on the calling thread, a fiber a thread, so that barriers, shuffles and
// shared memory do what they do on a device. For tests; found instead of the toolkit's header of
// this name.

#include <driver_types.h>
#include <math.h>
#include <vector_types.h>

#include <cstdint>
#include <functional>
#include <utility>

#undef __global__
#undef __device__
#undef __host__
#undef __forceinline__
#undef __launch_bounds__
#undef __grid_constant__
#undef __shared__
#undef __align__
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
// Blocks run one at a time, so that what a block's threads share can be of the whole program.
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))

// Where the running thread is. Set before a thread goes on.
extern dim3 threadIdx;
extern dim3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;

namespace inferd::cuda_emulation {

// Runs `body` once for each thread of each block.
void RunGrid(const dim3& grid, const dim3& block, const std::function<void()>& body);
// Return when all threads of the block, or of the warp, have called it.
void WaitForBlock();
void WaitForWarp();
// The value that another lane of the warp gave, all lanes calling it.
float Exchange(float value, int lane_mask);

}  // namespace inferd::cuda_emulation

inline void __syncthreads() { ::inferd::cuda_emulation::WaitForBlock(); }
inline void __syncwarp() { ::inferd::cuda_emulation::WaitForWarp(); }
inline float __shfl_xor_sync(unsigned, float value, int lane_mask) {
  return ::inferd::cuda_emulation::Exchange(value, lane_mask);
}
inline int atomicAdd(int* to, int value) {
  const int before = *to;
  *to = before + value;
  return before;
}
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  ::inferd::cuda_emulation::RunGrid(config->gridDim, config->blockDim,
                                    [&] { kernel(arguments...); });
  return cudaSuccess;
}

template <typename Kernel>
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes*, Kernel*) {
  return cudaSuccess;
}
