#pragma once

#include "absl/status/statusor.h"
#include "engine/core/shape.h"
#include "engine/graph/attributes.h"

namespace inferd {

// The sizes of one Attention. Q is [B,Hq,Sq,D] or [B,Sq,Hq*D]; K is [B,Hk,Sk,D] or [B,Sk,Hk*D]; V
// like K with its own head size; Hq is a multiple of Hk. A value type.
struct AttentionShape {
  Dim batch;
  Dim q_heads;
  Dim kv_heads;
  Dim q_sequence;
  Dim kv_sequence;  // of K and V, without the past
  Dim past;         // 0 without past_key
  Dim head_size;
  Dim v_head_size;
  bool flat = false;  // 3-D inputs: heads lie side by side in a row

  Dim total() const { return past + kv_sequence; }
  SymbolicShape Output() const;
  SymbolicShape PresentKey() const;
  SymbolicShape PresentValue() const;
  SymbolicShape Scores() const;
};

// The shapes of inputs; absent ones are null.
struct AttentionInputs {
  const SymbolicShape* q = nullptr;
  const SymbolicShape* k = nullptr;
  const SymbolicShape* v = nullptr;
  const SymbolicShape* mask = nullptr;
  const SymbolicShape* past_key = nullptr;
  const SymbolicShape* past_value = nullptr;
  const SymbolicShape* nonpad_lengths = nullptr;
};

// INVALID_ARGUMENT naming the input or attribute that does not fit. Requires that Q, K or V has a
// known rank.
absl::StatusOr<AttentionShape> ResolveAttention(const Attributes& attributes,
                                                const AttentionInputs& inputs);

}  // namespace inferd
