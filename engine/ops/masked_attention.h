#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/core/tensor.h"
#include "engine/graph/attributes.h"
#include "engine/ops/scaled_dot_product.h"

namespace inferd {

// What the attention operators of com.microsoft have in common: masks of integers, an added bias
// and a past that is joined with the new keys and values.

// Attribute `name`, a number of heads from 1 on.
absl::StatusOr<int64_t> HeadCount(const Attributes& attributes, absl::string_view name);

// INVALID_ARGUMENT unless a mask of that shape is of one of the forms that KeyMask reads.
absl::Status CheckKeyMask(const SymbolicShape& mask, Dim batch, Dim rows, Dim keys);
// INVALID_ARGUMENT unless `added` is [batch or 1, heads or 1, rows, keys].
absl::Status CheckAddedBias(const SymbolicShape& added, Dim batch, Dim heads, Dim rows, Dim keys);

// Which keys a mask hides. Its forms: where the keys of each batch entry end [batch]; where they
// end, then where they begin [2*batch]; 0 for a hidden key [batch,keys] or [batch,rows,keys]; and
// [batch,1] or [1,1], which hides nothing. Immutable.
class KeyMask {
 public:
  // `mask` is null where nothing is hidden.
  static absl::StatusOr<KeyMask> Read(const Tensor* mask, int64_t batch, int64_t rows,
                                      int64_t keys);
  bool Hides(int64_t b, int64_t i, int64_t j) const;

 private:
  enum class Form { kNone, kEnds, kEndsAndStarts, kKeys, kRowsAndKeys };

  Form form_ = Form::kNone;
  std::vector<int64_t> values_;
  int64_t batch_ = 0;
  int64_t rows_ = 0;
  int64_t keys_ = 0;
};

// One attention with as many query heads as key heads. Tensors point to their first element.
template <typename T>
struct MaskedAttention {
  // `rows` rows of each head, [rows, columns]; none where `data` is null.
  struct Operand {
    const T* data = nullptr;
    HeadLayout layout;
    int64_t rows = 0;
  };
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t depth = 0;  // head size of queries and keys
  int64_t width = 0;  // head size of values
  Operand q, past_k, k, past_v, v;
  const Tensor* mask = nullptr;   // see KeyMask
  const Tensor* added = nullptr;  // see CheckAddedBias; of type T
  bool causal = false;
  double filter = -10000;  // added to the score of a hidden key
  double scale = 1;
  // Outputs; null where not wanted.
  T* y = nullptr;          // [batch, rows, heads * width]
  T* present_k = nullptr;  // [batch, heads, keys, depth]
  T* present_v = nullptr;  // [batch, heads, keys, width]
};

// Reads "unidirectional", "mask_filter_value" and "scale"; `depth` must be set.
template <typename T>
void ReadMaskedAttributes(const Attributes& attributes, MaskedAttention<T>* attention);

// For the float types. Errors name the mask or bias that does not fit.
template <typename T>
absl::Status RunMaskedAttention(const MaskedAttention<T>& attention, int64_t limit_bytes);

}  // namespace inferd
