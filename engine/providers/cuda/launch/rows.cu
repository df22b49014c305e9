#include "engine/providers/cuda/launch/rows.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 1 << 20;

unsigned Grid(int64_t blocks) {
  return static_cast<unsigned>(blocks < kMostBlocks ? blocks : kMostBlocks);
}

// Threads of a block for rows of that length: whole warps.
int RowThreads(int64_t length) {
  if (length <= 128) return 32;
  if (length <= 512) return 128;
  return length <= 4096 ? 256 : 1024;
}

// A block a row whose elements lie together.
template <typename T>
__global__ void SoftmaxRows(const T* x, T* y, int64_t rows, int64_t length, bool log) {
  __shared__ float high_parts[32];
  __shared__ float sum_parts[32];
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const T* from = x + row * length;
    T* to = y + row * length;
    float high = -INFINITY;
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x) high = fmaxf(high, ToFloat(from[i]));
    high = BlockMax(high, high_parts);
    float sum = 0;
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x) sum += expf(ToFloat(from[i]) - high);
    sum = BlockSum(sum, sum_parts);
    const float scale = 1.0f / sum;
    const float shift = logf(sum);
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x) {
      const float above = ToFloat(from[i]) - high;
      to[i] = FromFloat<T>(log ? above - shift : expf(above) * scale);
    }
    // The parts are written again for the next row.
    __syncthreads();
  }
}

// A thread a row whose elements lie `inner` apart.
template <typename T>
__global__ void SoftmaxStrided(const T* x, T* y, RowShape shape, bool log) {
  const int64_t rows = shape.outer * shape.inner;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; row < rows;
       row += stride) {
    const int64_t first = row / shape.inner * shape.length * shape.inner + row % shape.inner;
    float high = -INFINITY;
    for (int64_t i = 0; i < shape.length; ++i) {
      high = fmaxf(high, ToFloat(x[first + i * shape.inner]));
    }
    float sum = 0;
    for (int64_t i = 0; i < shape.length; ++i) {
      sum += expf(ToFloat(x[first + i * shape.inner]) - high);
    }
    const float shift = logf(sum);
    for (int64_t i = 0; i < shape.length; ++i) {
      const float above = ToFloat(x[first + i * shape.inner]) - high;
      y[first + i * shape.inner] = FromFloat<T>(log ? above - shift : expf(above) / sum);
    }
  }
}

template <typename T>
__global__ void NormRows(const __grid_constant__ NormRequest request) {
  __shared__ float mean_parts[32];
  __shared__ float square_parts[32];
  const int64_t length = request.length;
  const float scale_of_sum = 1.0f / static_cast<float>(length);
  for (int64_t row = blockIdx.x; row < request.rows; row += gridDim.x) {
    const T* x = static_cast<const T*>(request.x) + row * length;
    float mean = 0;
    if (request.centred) {
      for (int64_t i = threadIdx.x; i < length; i += blockDim.x) mean += ToFloat(x[i]);
      mean = BlockSum(mean, mean_parts) * scale_of_sum;
    }
    float square = 0;
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x) {
      const float d = ToFloat(x[i]) - mean;
      square += d * d;
    }
    square = BlockSum(square, square_parts) * scale_of_sum;
    const float factor = rsqrtf(square + request.epsilon);
    for (int64_t i = threadIdx.x; i < length; i += blockDim.x) {
      float value = (ToFloat(x[i]) - mean) * factor;
      value *= Load<float>(request.scale, request.scale_type, i);
      if (request.bias != nullptr) value += Load<float>(request.bias, request.bias_type, i);
      Store<float>(request.y, request.y_type, row * length + i, value);
    }
    __syncthreads();
  }
}

__device__ __forceinline__ float First(Reduction reduction) {
  switch (reduction) {
    case Reduction::kMax:
    case Reduction::kLogSumExp:
      return -INFINITY;
    case Reduction::kMin:
      return INFINITY;
    case Reduction::kProd:
      return 1;
    default:
      return 0;
  }
}

// Of two partial results; NaN wins.
__device__ __forceinline__ float Combine(Reduction reduction, float a, float b) {
  switch (reduction) {
    case Reduction::kMax:
      return a != a ? a : (b > a || b != b ? b : a);
    case Reduction::kMin:
      return a != a ? a : (b < a || b != b ? b : a);
    case Reduction::kProd:
      return a * b;
    case Reduction::kLogSumExp: {
      // Both are logarithms of sums.
      if (a != a || b != b) return a + b;
      const float high = fmaxf(a, b);
      if (isinf(high)) return high;
      return high + log1pf(expf(fminf(a, b) - high));
    }
    default:
      return a + b;
  }
}

__device__ __forceinline__ float Term(Reduction reduction, float x) {
  switch (reduction) {
    case Reduction::kL1:
      return fabsf(x);
    case Reduction::kL2:
    case Reduction::kSumSquare:
      return x * x;
    default:
      return x;
  }
}

__device__ __forceinline__ float Last(Reduction reduction, float x, int64_t count) {
  if (reduction == Reduction::kMean) return x / static_cast<float>(count);
  return reduction == Reduction::kL2 ? sqrtf(x) : x;
}

__device__ __forceinline__ int64_t OffsetAt(const Dims& dims, const Strides& strides, int64_t i) {
  int64_t offset = 0;
  for (int d = dims.rank - 1; d >= 0; --d) {
    const int64_t size = dims.size[d];
    offset += i % size * strides.at[d];
    i /= size;
  }
  return offset;
}

// A block (of whole warps) or, with kAlone, a thread an output.
template <typename T, bool kAlone>
__global__ void Reduce(const __grid_constant__ ReduceRequest request, int64_t outputs,
                       int64_t count) {
  __shared__ float parts[32];
  const T* x = static_cast<const T*>(request.x);
  const Reduction reduction = request.reduction;
  const int64_t first = kAlone ? static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x
                               : static_cast<int64_t>(blockIdx.x);
  const int64_t stride =
      kAlone ? static_cast<int64_t>(gridDim.x) * blockDim.x : static_cast<int64_t>(gridDim.x);
  const int64_t begin = kAlone ? 0 : threadIdx.x;
  const int64_t step = kAlone ? 1 : blockDim.x;
  for (int64_t out = first; out < outputs; out += stride) {
    const int64_t base = OffsetAt(request.kept, request.kept_strides, out);
    float value = First(reduction);
    for (int64_t i = begin; i < count; i += step) {
      const float element =
          ToFloat(x[base + OffsetAt(request.reduced, request.reduced_strides, i)]);
      value = Combine(reduction, value, Term(reduction, element));
    }
    if (!kAlone) {
      for (int offset = 16; offset > 0; offset /= 2) {
        value = Combine(reduction, value, __shfl_xor_sync(0xffffffffu, value, offset));
      }
      if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
      __syncthreads();
      if (threadIdx.x == 0) {
        for (int w = 1; w < static_cast<int>(blockDim.x) / 32; ++w) {
          value = Combine(reduction, value, parts[w]);
        }
      }
      __syncthreads();
    }
    if (kAlone || threadIdx.x == 0) {
      static_cast<T*>(request.y)[out] = FromFloat<T>(Last(reduction, value, count));
    }
  }
}

int64_t Count(const Dims& dims) {
  int64_t count = 1;
  for (int d = 0; d < dims.rank; ++d) count *= dims.size[d];
  return count;
}

}  // namespace

void LaunchSoftmax(const void* x, void* y, Type type, const RowShape& shape, bool log,
                   Stream stream) {
  const int64_t rows = shape.outer * shape.inner;
  if (rows == 0 || shape.length == 0) return;
  WithFloatType(type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    if (shape.inner == 1) {
      LaunchGrid(SoftmaxRows<T>, Grid(rows), RowThreads(shape.length), stream, from, to, rows,
                 shape.length, log);
    } else {
      LaunchGrid(SoftmaxStrided<T>, Grid((rows + kThreads - 1) / kThreads), kThreads, stream, from,
                 to, shape, log);
    }
  });
}

void LaunchNorm(const NormRequest& request, Stream stream) {
  if (request.rows == 0 || request.length == 0) return;
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(NormRows<T>, Grid(request.rows), RowThreads(request.length), stream, request);
  });
}

void LaunchReduce(const ReduceRequest& request, Stream stream) {
  const int64_t outputs = Count(request.kept);
  const int64_t count = Count(request.reduced);
  if (outputs == 0) return;
  // Neighbouring threads read neighbours: along the reduction, or along the outputs.
  const int last = request.reduced.rank - 1;
  const bool together = last >= 0 && request.reduced_strides.at[last] == 1 && count >= 32;
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    if (together || (outputs < 1024 && count >= 256)) {
      LaunchGrid(Reduce<T, false>, Grid(outputs), RowThreads(count), stream, request, outputs,
                 count);
    } else {
      LaunchGrid(Reduce<T, true>, Grid((outputs + kThreads - 1) / kThreads), kThreads, stream,
                 request, outputs, count);
    }
  });
}

}  // namespace inferd::cuda
