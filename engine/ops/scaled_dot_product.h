#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/dtype.h"
#include "engine/ops/accumulator.h"

namespace inferd {

// Where a tensor keeps the rows of its heads: strides in elements between batch entries, heads and
// rows; the elements of a row are neighbours. A value type.
struct HeadLayout {
  int64_t batch = 0;
  int64_t head = 0;
  int64_t row = 0;
  int64_t offset = 0;  // of the first row of the first head

  // [batch, heads, rows, columns]
  static HeadLayout HeadFirst(int64_t heads, int64_t rows, int64_t columns) {
    return {heads * rows * columns, rows * columns, columns};
  }
  // [batch, rows, heads * columns]
  static HeadLayout RowFirst(int64_t heads, int64_t rows, int64_t columns) {
    return {heads * rows * columns, columns, heads * columns};
  }
  int64_t At(int64_t b, int64_t h, int64_t i) const {
    return offset + b * batch + h * head + i * row;
  }
};

// Appends `rows` rows of head h of batch entry b to a matrix.
template <typename Acc, typename T>
void AppendRows(const T* data, const HeadLayout& layout, int64_t b, int64_t h, int64_t rows,
                int64_t columns, std::vector<Acc>* matrix) {
  for (int64_t i = 0; i < rows; ++i) {
    const T* from = data + layout.At(b, h, i);
    matrix->insert(matrix->end(), from, from + columns);
  }
}

// What the scores of a head hold when they are handed out.
enum class ScoreStage { kProduct, kSoftcap, kBias, kSoftmax };

// How scores are made of products. A value type.
struct ScoreSettings {
  double scale = 1;
  bool scale_operands = false;  // Q and K each by sqrt(scale), as ai.onnx has it; else the product
  double softcap = 0;           // > 0: softcap * tanh(score / softcap), before the bias
  DType softmax_type = DType::kInvalid;  // that the softmax is computed in; kInvalid: in T
  ScoreStage stage = ScoreStage::kProduct;
};

// One head: Y = softmax(scale Q K^T + bias) V over row-major matrices. A value type.
template <typename T>
struct AttentionHead {
  using Acc = AccumulatorOf<T>;
  int64_t rows = 0;  // queries
  int64_t keys = 0;
  int64_t depth = 0;  // of Q and K
  int64_t width = 0;  // of V and Y
  std::vector<Acc> q;
  std::vector<Acc> k;
  std::vector<Acc> v;
  std::vector<Acc> bias;    // [rows, keys], -infinity where a key is hidden; empty for none
  std::optional<Acc> sink;  // one more logit in every row's softmax, with value 0
};

// RESOURCE_EXHAUSTED when the scores of one head would take more than `limit_bytes`.
absl::Status CheckScoreBytes(int64_t rows, int64_t keys, int64_t limit_bytes);

// Y, [rows, width]. Every step is rounded to T. A row that sees no key becomes zeros. `scores`,
// where given, gets [rows, keys] of the settings' stage. For the float types.
template <typename T>
std::vector<T> RunAttentionHead(AttentionHead<T> head, const ScoreSettings& settings,
                                T* scores = nullptr);

}  // namespace inferd
