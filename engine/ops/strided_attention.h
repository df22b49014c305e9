#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/shape.h"
#include "engine/graph/attributes.h"
#include "engine/graph/op_def.h"
#include "engine/ops/scaled_dot_product.h"

namespace inferd {

// What inferd.Attention computes, whatever the tensors look like that hold its operands: for every
// batch entry and head Y = softmax(scale Q K^T, masked, + bias) V. Query head h reads key head
// h / group. A value type.
struct StridedAttention {
  // Strides in elements over [batch, heads, queries, keys]; 0 repeats; that of the keys is 1.
  struct ScoreLayout {
    int64_t batch = 0;
    int64_t head = 0;
    int64_t query = 0;
    int64_t At(int64_t b, int64_t h, int64_t i) const { return b * batch + h * head + i * query; }
  };
  int64_t batch = 0;
  int64_t heads = 0;  // of Q and Y, a multiple of `group`
  int64_t group = 1;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t depth = 0;  // of Q and K
  int64_t width = 0;  // of V and Y
  HeadLayout q, k, v, y;
  ScoreLayout mask, bias;
  float scale = 1;
  // Query i sees no key behind i + first_position (>= 0).
  bool causal = false;
  int64_t first_position = 0;
  bool mask_hides = false;  // true elements of the mask hide a key; else false ones do
  float hidden = -std::numeric_limits<float>::infinity();  // the score of a key the mask hides
  // A row whose scores are all -infinity becomes zeros, else NaN as a softmax alone has it.
  bool zero_hidden_rows = false;
  Shape output_shape;

  Attributes ToAttributes() const;
  // What an operator with these attributes takes.
  static std::vector<AttributeSpec> AttributeSpecs();
  // INVALID_ARGUMENT naming the attribute that makes no sense.
  static absl::StatusOr<StridedAttention> Read(const Attributes& attributes);
  // INVALID_ARGUMENT unless every element that is read or written lies in its tensor, given by
  // numbers of elements; -1 for an absent operand.
  absl::Status CheckElements(int64_t q_elements, int64_t k_elements, int64_t v_elements,
                             int64_t bias_elements, int64_t mask_elements) const;
};

}  // namespace inferd
