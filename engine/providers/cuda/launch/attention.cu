#include "engine/providers/cuda/launch/attention.h"

#include <cuda_runtime.h>

#include <type_traits>

#include "engine/providers/cuda/launch/device_types.cuh"
#include "engine/providers/cuda/launch/launch_grid.cuh"

namespace inferd::cuda {
namespace {

// A block takes kRows queries of one head and goes over the keys in tiles of kRows, with the
// softmax's maximum and sum carried along (Milakov and Gimelshein 2018; Dao et al. 2022).
constexpr int kRows = 32;
constexpr int kThreads = 256;
// Of a block's threads, those that share a query row, and what each has of the row's scores.
constexpr int kPerRow = kThreads / kRows;
constexpr int kScores = kRows / kPerRow;
// Elements of an output row that a thread sums.
constexpr int kMostColumns = static_cast<int>(kMostHeadSize) / kPerRow;

// Rows of tiles are padded against bank conflicts.
constexpr int kPitch = static_cast<int>(kMostHeadSize) + 1;

// The shared memory of a block: queries, keys and then values, and the scores.
struct Tiles {
  float* queries;
  float* others;
  float* scores;
};

// Rows [first, first + kRows) of a head into a tile; zeros behind the last one.
template <typename T>
__device__ void LoadRows(const T* head, int64_t stride, int64_t first, int64_t rows, int columns,
                         float* tile) {
  for (int i = threadIdx.x; i < kRows * columns; i += kThreads) {
    const int row = i / columns;
    const int column = i % columns;
    const int64_t at = first + row;
    tile[row * kPitch + column] = at < rows ? ToFloat(head[at * stride + column]) : 0.0f;
  }
}

__device__ inline float ScoreOf(const AttentionRequest& request, const Tiles& tiles, int row,
                                int column, int64_t b, int64_t h, int64_t i, int64_t j) {
  if (j >= request.keys || i >= request.queries) return -INFINITY;
  const float* q = tiles.queries + row * kPitch;
  const float* k = tiles.others + column * kPitch;
  float product = 0;
  for (int d = 0; d < request.depth; ++d) product += q[d] * k[d];
  float score = product * request.scale;
  if (request.mask != nullptr) {
    const HeadStrides& at = request.mask_strides;
    const bool flag = request.mask[b * at.batch + h * at.head + i * at.position + j] != 0;
    if (flag == request.mask_hides) score = request.hidden;
  }
  if (request.bias != nullptr) {
    const HeadStrides& at = request.bias_strides;
    score += Load<float>(request.bias, request.bias_type,
                         b * at.batch + h * at.head + i * at.position + j);
  }
  if (request.causal && j > i + request.first_position) score = -INFINITY;
  return score;
}

// Over the kPerRow neighbouring lanes that share a row.
__device__ inline float RowMax(float x) {
  for (int offset = kPerRow / 2; offset > 0; offset /= 2) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, offset));
  }
  return x;
}
__device__ inline float RowSum(float x) {
  for (int offset = kPerRow / 2; offset > 0; offset /= 2) {
    x += __shfl_xor_sync(0xffffffffu, x, offset);
  }
  return x;
}

// What a thread knows of its query row.
struct RowState {
  float high = -INFINITY;
  float sum = 0;
  float output[kMostColumns] = {};
};

// The row's weights in a tile of keys, those from `begin` on, to the tile of scores. Returns by how
// much what was summed before is to be corrected.
__device__ inline float WeighTile(const AttentionRequest& request, const Tiles& tiles, int64_t b,
                                  int64_t h, int64_t i, int64_t begin, RowState* state) {
  const int row = threadIdx.x / kPerRow;
  const int part = threadIdx.x % kPerRow;
  float scores[kScores];
  float tile_high = -INFINITY;
#pragma unroll
  for (int s = 0; s < kScores; ++s) {
    const int column = part + s * kPerRow;
    scores[s] = ScoreOf(request, tiles, row, column, b, h, i, begin + column);
    tile_high = fmaxf(tile_high, scores[s]);
  }
  const float high = fmaxf(state->high, RowMax(tile_high));
  // While nothing was seen, exp(-inf - -inf) must be no NaN.
  const float shift = high == -INFINITY ? 0.0f : high;
  float tile_sum = 0;
#pragma unroll
  for (int s = 0; s < kScores; ++s) {
    const float weight = expf(scores[s] - shift);
    tiles.scores[row * (kRows + 1) + part + s * kPerRow] = weight;
    tile_sum += weight;
  }
  const float correction = expf(state->high - shift);
  state->sum = state->sum * correction + RowSum(tile_sum);
  state->high = high;
  return correction;
}

// Adds the tile's values by those weights.
__device__ inline void AddTile(const AttentionRequest& request, const Tiles& tiles,
                               float correction, RowState* state) {
  const int row = threadIdx.x / kPerRow;
  const int part = threadIdx.x % kPerRow;
  const float* weights = tiles.scores + row * (kRows + 1);
#pragma unroll
  for (int c = 0; c < kMostColumns; ++c) {
    const int column = part + c * kPerRow;
    if (column >= request.width) break;
    float value = state->output[c] * correction;
    for (int j = 0; j < kRows; ++j) value += weights[j] * tiles.others[j * kPitch + column];
    state->output[c] = value;
  }
}

template <typename T>
__device__ void StoreRow(const AttentionRequest& request, const RowState& state, T* y) {
  const int part = threadIdx.x % kPerRow;
  // Of hidden rows a softmax alone makes NaN.
  const float hidden = request.zero_hidden_rows || request.keys == 0 ? 0.0f : NAN;
#pragma unroll
  for (int c = 0; c < kMostColumns; ++c) {
    const int column = part + c * kPerRow;
    if (column >= request.width) break;
    y[column] = FromFloat<T>(state.high == -INFINITY ? hidden : state.output[c] / state.sum);
  }
}

__device__ inline int64_t FirstOf(const HeadStrides& at, int64_t b, int64_t h) {
  return at.first + b * at.batch + h * at.head;
}

template <typename T>
__global__ void __launch_bounds__(kThreads)
    Attention(const __grid_constant__ AttentionRequest request, int64_t row_tiles) {
  __shared__ float queries[kRows * kPitch];
  __shared__ float others[kRows * kPitch];
  __shared__ float scores[kRows * (kRows + 1)];
  const Tiles tiles = {queries, others, scores};
  const int64_t first = static_cast<int64_t>(blockIdx.x) % row_tiles * kRows;
  const int64_t head = static_cast<int64_t>(blockIdx.x) / row_tiles;
  const int64_t b = head / request.heads;
  const int64_t h = head % request.heads;
  const int64_t kv = h / request.group;
  const int64_t i = first + threadIdx.x / kPerRow;
  const T* q = static_cast<const T*>(request.q) + FirstOf(request.q_strides, b, h);
  const T* k = static_cast<const T*>(request.k) + FirstOf(request.k_strides, b, kv);
  const T* v = static_cast<const T*>(request.v) + FirstOf(request.v_strides, b, kv);
  const auto depth = static_cast<int>(request.depth);
  const auto width = static_cast<int>(request.width);
  LoadRows(q, request.q_strides.position, first, request.queries, depth, tiles.queries);
  // Keys that no query of the block sees are left out.
  int64_t keys = request.keys;
  if (request.causal) {
    const int64_t seen = first + kRows + request.first_position;
    keys = seen < keys ? seen : keys;
  }
  RowState state;
  for (int64_t begin = 0; begin < keys; begin += kRows) {
    __syncthreads();
    LoadRows(k, request.k_strides.position, begin, request.keys, depth, tiles.others);
    __syncthreads();
    const float correction = WeighTile(request, tiles, b, h, i, begin, &state);
    __syncthreads();
    LoadRows(v, request.v_strides.position, begin, request.keys, width, tiles.others);
    __syncthreads();
    AddTile(request, tiles, correction, &state);
  }
  if (i >= request.queries) return;
  StoreRow(request, state,
           static_cast<T*>(request.y) + FirstOf(request.y_strides, b, h) +
               i * request.y_strides.position);
}

}  // namespace

void LaunchAttention(const AttentionRequest& request, Stream stream) {
  if (request.batch * request.heads * request.queries == 0) return;
  const int64_t row_tiles = (request.queries + kRows - 1) / kRows;
  const auto grid = static_cast<unsigned>(row_tiles * request.batch * request.heads);
  WithFloatType(request.type, [&](auto* of_type) {
    using T = std::remove_pointer_t<decltype(of_type)>;
    LaunchGrid(Attention<T>, grid, kThreads, stream, request, row_tiles);
  });
}

}  // namespace inferd::cuda
