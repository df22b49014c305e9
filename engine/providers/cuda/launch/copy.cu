#include "engine/providers/cuda/launch/copy.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/element.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 32;
constexpr int kTileRows = 8;  // rows of a tile that a block's threads do at once

template <typename T>
__global__ void __launch_bounds__(kThreads)
    CopyStrided(const __grid_constant__ CopyRequest request, int64_t elements) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements;
       i += stride) {
    int64_t from = request.from_at;
    int64_t to = request.to_at;
    int64_t rest = i;
    for (int d = request.dims.rank - 1; d >= 0; --d) {
      const int64_t size = request.dims.size[d];
      int64_t quotient;
      if (elements <= 0xffffffffll) {
        quotient = static_cast<uint32_t>(rest) / static_cast<uint32_t>(size);
      } else {
        quotient = rest / size;
      }
      const int64_t at = rest - quotient * size;
      from += at * request.from_strides.at[d];
      to += at * request.to_strides.at[d];
      rest = quotient;
    }
    static_cast<T*>(request.to)[to] = static_cast<const T*>(request.from)[from];
  }
}

// Reads along dimension `across` and writes along dimension `along`, whose elements lie together
// there; a block a tile of both, so that both are coalesced.
template <typename T>
__global__ void CopyTransposed(const __grid_constant__ CopyRequest request, int across, int along,
                               int64_t tiles_across, int64_t tiles_along, int64_t tiles) {
  __shared__ T tile[kTile][kTile + 1];
  for (int64_t t = blockIdx.x; t < tiles; t += gridDim.x) {
    const int64_t tile_across = t % tiles_across;
    const int64_t tile_along = t / tiles_across % tiles_along;
    int64_t rest = t / tiles_across / tiles_along;
    int64_t from = request.from_at;
    int64_t to = request.to_at;
    for (int d = request.dims.rank - 1; d >= 0; --d) {
      if (d == across || d == along) continue;
      const int64_t at = rest % request.dims.size[d];
      rest /= request.dims.size[d];
      from += at * request.from_strides.at[d];
      to += at * request.to_strides.at[d];
    }
    const int64_t first_across = tile_across * kTile;
    const int64_t first_along = tile_along * kTile;
    for (int r = threadIdx.y; r < kTile; r += kTileRows) {
      const int64_t i = first_across + threadIdx.x;
      const int64_t j = first_along + r;
      if (i < request.dims.size[across] && j < request.dims.size[along]) {
        tile[r][threadIdx.x] =
            static_cast<const T*>(request.from)[from + i * request.from_strides.at[across] +
                                                j * request.from_strides.at[along]];
      }
    }
    __syncthreads();
    for (int r = threadIdx.y; r < kTile; r += kTileRows) {
      const int64_t i = first_across + r;
      const int64_t j = first_along + threadIdx.x;
      if (i < request.dims.size[across] && j < request.dims.size[along]) {
        static_cast<T*>(
            request.to)[to + i * request.to_strides.at[across] + j * request.to_strides.at[along]] =
            tile[threadIdx.x][r];
      }
    }
    __syncthreads();
  }
}

// The dimension, of at least a few elements, whose stride is one; -1: there is none.
int Unit(const CopyRequest& request, const Strides& strides) {
  for (int d = 0; d < request.dims.rank; ++d) {
    if (strides.at[d] == 1 && request.dims.size[d] >= 8) return d;
  }
  return -1;
}

template <typename T>
void Launch(const CopyRequest& request, Stream stream) {
  int64_t elements = 1;
  for (int d = 0; d < request.dims.rank; ++d) elements *= request.dims.size[d];
  if (elements == 0) return;
  const int across = Unit(request, request.from_strides);
  const int along = Unit(request, request.to_strides);
  if (across >= 0 && along >= 0 && across != along) {
    const int64_t tiles_across = (request.dims.size[across] + kTile - 1) / kTile;
    const int64_t tiles_along = (request.dims.size[along] + kTile - 1) / kTile;
    const int64_t planes = elements / request.dims.size[across] / request.dims.size[along];
    const int64_t tiles = tiles_across * tiles_along * planes;
    const auto grid = static_cast<unsigned>(tiles < 1 << 20 ? tiles : 1 << 20);
    LaunchGrid(CopyTransposed<T>, grid, dim3(kTile, kTileRows), stream, request, across, along,
               tiles_across, tiles_along, tiles);
    return;
  }
  const int64_t blocks = (elements + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 1 << 20 ? blocks : 1 << 20);
  LaunchGrid(CopyStrided<T>, grid, kThreads, stream, request, elements);
}

template <typename T>
__global__ void __launch_bounds__(kThreads) Fill(T* to, int64_t elements, T value) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < elements;
       i += stride) {
    to[i] = value;
  }
}

template <typename T>
void FillWith(void* to, int64_t elements, uint64_t value, Stream stream) {
  const int64_t blocks = (elements + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(blocks < 65536 ? blocks : 65536);
  LaunchGrid(Fill<T>, grid, kThreads, stream, static_cast<T*>(to), elements, static_cast<T>(value));
}

}  // namespace

void LaunchCopy(const CopyRequest& request, Stream stream) {
  WithElement(request.element_bytes, [&](auto* element) {
    Launch<std::remove_pointer_t<decltype(element)>>(request, stream);
  });
}

void LaunchFill(void* to, int element_bytes, int64_t elements, uint64_t value, Stream stream) {
  if (elements == 0) return;
  switch (element_bytes) {
    case 1:
      return FillWith<uint8_t>(to, elements, value, stream);
    case 2:
      return FillWith<uint16_t>(to, elements, value, stream);
    case 4:
      return FillWith<uint32_t>(to, elements, value, stream);
    case 8:
      return FillWith<uint64_t>(to, elements, value, stream);
  }
}

}  // namespace inferd::cuda
