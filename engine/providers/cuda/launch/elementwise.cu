#include "engine/providers/cuda/launch/elementwise.h"

#include <cuda_runtime.h>

#include "engine/providers/cuda/launch/element_access.cuh"
#include "engine/providers/cuda/launch/elementwise_math.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;
// Elements a thread has in flight.
constexpr int kUnroll = 4;

__device__ __forceinline__ int64_t OffsetOf(const ElementwiseProgram& program,
                                            const ElementwiseInput& input, int64_t i) {
  if (input.dense) return i;
  int64_t offset = 0;
  int64_t rest = i;
  for (int d = program.dims.rank - 1; d >= 0; --d) {
    // Most tensors have fewer elements than 2^32, and their division is several times as fast.
    const int64_t size = program.dims.size[d];
    int64_t quotient;
    if (program.elements <= 0xffffffffll) {
      quotient = static_cast<uint32_t>(rest) / static_cast<uint32_t>(size);
    } else {
      quotient = rest / size;
    }
    offset += (rest - quotient * size) * input.strides.at[d];
    rest = quotient;
  }
  return offset;
}

template <typename C>
__device__ __forceinline__ C LoadInput(const ElementwiseProgram& program, int k, int64_t i) {
  const ElementwiseInput& input = program.inputs[k];
  return Load<C>(input.data, input.type, OffsetOf(program, input, i));
}

template <typename C>
__global__ void __launch_bounds__(kThreads)
    RunProgram(const __grid_constant__ ElementwiseProgram program) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  for (int64_t base = first; base < program.elements; base += stride * kUnroll) {
    C x[kUnroll];
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t i = base + u * stride;
      x[u] = i < program.elements ? LoadInput<C>(program, 0, i) : C(0);
    }
    for (int n = 0; n < program.num_instructions; ++n) {
      const Instruction op = program.instructions[n];
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) {
        const int64_t i = base + u * stride;
        if (i >= program.elements) continue;
        const C y = op.y == kNumber ? static_cast<C>(op.p) : LoadInput<C>(program, op.y, i);
        const C z = op.z == kNumber ? C(0) : LoadInput<C>(program, op.z, i);
        x[u] = op.reversed ? Apply(op, y, x[u], z) : Apply(op, x[u], y, z);
      }
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int64_t i = base + u * stride;
      if (i < program.elements) Store<C>(program.output, program.output_type, i, x[u]);
    }
  }
}

}  // namespace

int CheckCode() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, RunProgram<float>);
}

void LaunchElementwise(const ElementwiseProgram& program, Stream stream) {
  if (program.elements == 0) return;
  const int64_t per_block = kThreads * kUnroll;
  const int64_t blocks = (program.elements + per_block - 1) / per_block;
  // Threads of a larger grid would only wait for their turn.
  const auto grid = static_cast<unsigned>(blocks < 65536 ? blocks : 65536);
  switch (program.arithmetic) {
    case Arithmetic::kFloat:
      LaunchGrid(RunProgram<float>, grid, kThreads, stream, program);
      return;
    case Arithmetic::kDouble:
      LaunchGrid(RunProgram<double>, grid, kThreads, stream, program);
      return;
    case Arithmetic::kInteger:
      LaunchGrid(RunProgram<long long>, grid, kThreads, stream, program);
      return;
  }
}

}  // namespace inferd::cuda
