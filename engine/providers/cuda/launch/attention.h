#pragma once

#include "engine/providers/cuda/launch/types.h"

namespace inferd::cuda {

// Where rows of heads lie: strides in elements over [batch, head, position]; elements of a row lie
// together.
struct HeadStrides {
  int64_t first = 0;
  int64_t batch = 0;
  int64_t head = 0;
  int64_t position = 0;
};

// What LaunchAttention takes at most as depth and width.
inline constexpr int64_t kMostHeadSize = 128;

// Y = softmax(scale Q K^T, masked, + bias) V for every batch entry and head; Q, K, V, Y of the same
// float type. See StridedAttention for the meaning of the rest.
struct AttentionRequest {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  void* y = nullptr;
  Type type = Type::kFloat32;
  const void* bias = nullptr;  // of bias_type, or null
  Type bias_type = Type::kFloat32;
  const uint8_t* mask = nullptr;  // bools, or null
  HeadStrides q_strides, k_strides, v_strides, y_strides;
  HeadStrides bias_strides, mask_strides;  // over [batch, head, query]
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t group = 1;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t depth = 0;
  int64_t width = 0;
  float scale = 1;
  bool causal = false;
  int64_t first_position = 0;
  bool mask_hides = false;
  float hidden = 0;
  bool zero_hidden_rows = false;
};

// At most 2^31 - 1 tiles of 32 queries over all heads.
void LaunchAttention(const AttentionRequest& request, Stream stream);

}  // namespace inferd::cuda
