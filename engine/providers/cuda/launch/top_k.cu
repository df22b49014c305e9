#include "engine/providers/cuda/launch/top_k.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/element.cuh"
#include "engine/providers/cuda/launch/element_access.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kDigits = 256;
constexpr int kDigitBits = 8;

// Whole numbers in the order of the elements: both zeros are one, as are all NaNs.
template <typename Number>
struct Ordered;

template <>
struct Ordered<float> {
  static constexpr int kBits = 32;
  static __device__ __forceinline__ uint64_t Of(float x) {
    if (x != x) return 0xffffffffu;
    union {
      float number;
      uint32_t bits;
    } as = {x + 0.0f};
    return (as.bits >> 31) != 0 ? static_cast<uint32_t>(~as.bits) : as.bits | 0x80000000u;
  }
};
template <>
struct Ordered<double> {
  static constexpr int kBits = 64;
  static __device__ __forceinline__ uint64_t Of(double x) {
    if (x != x) return ~uint64_t{0};
    union {
      double number;
      uint64_t bits;
    } as = {x + 0.0};
    return (as.bits >> 63) != 0 ? ~as.bits : as.bits | uint64_t{1} << 63;
  }
};
template <>
struct Ordered<long long> {
  static constexpr int kBits = 64;
  static __device__ __forceinline__ uint64_t Of(long long x) {
    return static_cast<uint64_t>(x) ^ uint64_t { 1 } << 63;
  }
};

// What a block has found of its line's threshold: the key of the last element to take, and the
// index of the last one of that key.
struct Threshold {
  uint64_t key;
  uint64_t index;
  int64_t wanted;  // how many of those that share what is known of it
};

struct Line {
  const TopKRequest* request;
  int64_t first;

  // Greater is better.
  template <typename Number>
  __device__ __forceinline__ uint64_t Key(int64_t i) const {
    const uint64_t key =
        Ordered<Number>::Of(Load<Number>(request->x, request->type, first + i * request->inner));
    return request->largest ? key : ~key & (~uint64_t{0} >> (64 - Ordered<Number>::kBits));
  }
};

// Of `digits`, how many elements have each: takes the one in which the threshold is, counting from
// the greatest for keys and from the least for indices.
__device__ __forceinline__ uint64_t TakeDigit(const int* digits, bool from_greatest,
                                              int64_t* wanted) {
  for (int n = 0; n < kDigits; ++n) {
    const int digit = from_greatest ? kDigits - 1 - n : n;
    if (*wanted <= digits[digit]) return static_cast<uint64_t>(digit);
    *wanted -= digits[digit];
  }
  return 0;
}

__device__ __forceinline__ bool SameAbove(uint64_t a, uint64_t b, int bit) {
  return bit >= 64 || (a >> bit) == (b >> bit);
}

// A digit at a time, by the elements that agree in all digits above.
template <typename Number>
__device__ void FindThreshold(const Line& line, int* digits, Threshold* threshold) {
  const int64_t size = line.request->size;
  int index_bits = kDigitBits;
  while (index_bits < 64 && (size >> index_bits) != 0) index_bits += kDigitBits;
  for (int part = 0; part < 2; ++part) {
    const bool keys = part == 0;
    for (int shift = (keys ? Ordered<Number>::kBits : index_bits) - kDigitBits; shift >= 0;
         shift -= kDigitBits) {
      for (int d = static_cast<int>(threadIdx.x); d < kDigits; d += blockDim.x) digits[d] = 0;
      __syncthreads();
      for (int64_t i = threadIdx.x; i < size; i += blockDim.x) {
        const uint64_t key = line.Key<Number>(i);
        if (!keys && key != threshold->key) continue;
        const uint64_t own = keys ? key : static_cast<uint64_t>(i);
        const uint64_t known = keys ? threshold->key : threshold->index;
        if (!SameAbove(own, known, shift + kDigitBits)) continue;
        atomicAdd(&digits[own >> shift & (kDigits - 1)], 1);
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        const uint64_t digit = TakeDigit(digits, keys, &threshold->wanted);
        (keys ? threshold->key : threshold->index) |= digit << shift;
      }
      __syncthreads();
    }
  }
}

// Puts what belongs before another before it.
__device__ __forceinline__ void Order(uint64_t* keys, int64_t* taken, int64_t a, int64_t b) {
  const uint64_t key = keys[a];
  const int64_t index = taken[a];
  if (key > keys[b] || (key == keys[b] && index < taken[b])) return;
  keys[a] = keys[b];
  taken[a] = taken[b];
  keys[b] = key;
  taken[b] = index;
}

// Sorts what was taken, best first: Batcher's bitonic network (1968) in the form whose exchanges
// all go one way, so that what is missing to a power of two may be left out at the end.
__device__ inline void Sort(uint64_t* keys, int64_t* taken, int64_t count) {
  for (int64_t run = 2; run < 2 * count; run *= 2) {
    for (int64_t distance = run; distance > 1; distance /= 2) {
      for (int64_t pair = threadIdx.x;; pair += blockDim.x) {
        const int64_t half = distance / 2;
        const int64_t begin = pair / half * distance;
        const int64_t a = begin + pair % half;
        if (a >= count) break;
        // Two sorted runs meet head to tail.
        const int64_t b = distance == run ? begin + distance - 1 - pair % half : a + half;
        if (b < count) Order(keys, taken, a, b);
      }
      __syncthreads();
    }
  }
}

template <typename T>
__device__ void StoreTaken(const Line& line, const int64_t* taken, int64_t number) {
  const TopKRequest& request = *line.request;
  const int64_t to = number / request.inner * request.k * request.inner + number % request.inner;
  for (int64_t j = threadIdx.x; j < request.k; j += blockDim.x) {
    const int64_t at = to + j * request.inner;
    static_cast<T*>(request.values)[at] =
        static_cast<const T*>(request.x)[line.first + taken[j] * request.inner];
    if (request.indices != nullptr) request.indices[at] = taken[j];
  }
}

// A block a line.
template <typename Number, typename T>
__global__ void TopK(const __grid_constant__ TopKRequest request) {
  __shared__ int digits[kDigits];
  __shared__ int count;
  __shared__ Threshold threshold;
  for (int64_t number = blockIdx.x; number < request.lines; number += gridDim.x) {
    const Line line = {
        &request, number / request.inner * request.size * request.inner + number % request.inner};
    auto* keys = static_cast<uint64_t*>(request.scratch) + number * request.k;
    auto* taken = static_cast<int64_t*>(request.scratch) + (request.lines + number) * request.k;
    if (threadIdx.x == 0) {
      threshold = {0, 0, request.k};
      count = 0;
    }
    __syncthreads();
    if (request.k < request.size) FindThreshold<Number>(line, digits, &threshold);
    for (int64_t i = threadIdx.x; i < request.size; i += blockDim.x) {
      const uint64_t key = line.Key<Number>(i);
      const bool take = request.k == request.size || key > threshold.key ||
                        (key == threshold.key && static_cast<uint64_t>(i) <= threshold.index);
      if (!take) continue;
      const int slot = atomicAdd(&count, 1);
      keys[slot] = key;
      taken[slot] = i;
    }
    __syncthreads();
    Sort(keys, taken, request.k);
    StoreTaken<T>(line, taken, number);
    __syncthreads();
  }
}

template <typename Number>
void Launch(const TopKRequest& request, Stream stream) {
  const auto grid = static_cast<unsigned>(request.lines < 1 << 20 ? request.lines : 1 << 20);
  const int threads = request.size <= 64 ? 32 : request.size <= 1024 ? 256 : 1024;
  WithElement(request.element_bytes, [&](auto* element) {
    using T = std::remove_pointer_t<decltype(element)>;
    LaunchGrid(TopK<Number, T>, grid, threads, stream, request);
  });
}

}  // namespace

void LaunchTopK(const TopKRequest& request, Stream stream) {
  if (request.lines == 0 || request.k == 0) return;
  switch (request.type) {
    case Type::kFloat32:
    case Type::kFloat16:
    case Type::kBfloat16:
      return Launch<float>(request, stream);
    case Type::kFloat64:
      return Launch<double>(request, stream);
    default:
      return Launch<long long>(request, stream);
  }
}

}  // namespace inferd::cuda
