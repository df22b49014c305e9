#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/core/shape.h"
#include "engine/graph/attributes.h"

namespace inferd {

// Of the operator GroupQueryAttention.
namespace group_query {

enum Input {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kLastKeys,  // of each batch entry the index of its last key: its keys less one
  kTotal,     // the most keys of any batch entry
  kCos,
  kSin,
  kPositions,
  kAdded,
  kSinks,
  kInputs,
};

// Query [batch,rows,heads*depth], or with key and value
// behind it in every row; key and value [batch,rows,groups*depth]; pasts [batch,groups,past
// rows,depth]. A value type.
struct Sizes {
  Dim batch, rows, past, depth;
  Dim total;  // keys, as input total_sequence_length says
  int64_t heads = 0;
  int64_t groups = 0;
  bool packed = false;

  SymbolicShape Output() const { return {batch, rows, Dim(heads) * depth}; }
  // The pasts may be buffers that have room for more.
  SymbolicShape Present() const {
    const bool known = past.known() && total.known();
    return {batch, Dim(groups), known ? Dim(std::max(past.value, total.value)) : Dim::Unknown(),
            depth};
  }
};

// The shapes of inputs; absent ones are null.
using InputShapes = const SymbolicShape* const (&)[kInputs];

// INVALID_ARGUMENT naming the input or attribute that does not fit; `total` is the value of input
// total_sequence_length, where it is known.
absl::StatusOr<Sizes> Resolve(const Attributes& attributes, InputShapes inputs, Dim total);

}  // namespace group_query
}  // namespace inferd
