#pragma once

#include <array>
#include <optional>

#include "engine/ops/strided_attention.h"
#include "engine/passes/token_form.h"

namespace inferd {

// The inputs of inferd.Attention: Q, K, V, bias, mask.
inline constexpr int kAttentionInputs = 5;

// A self-attention over packed sequences. A value type.
struct PackedAttentionNode {
  StridedAttention attention;  // of `tokens` queries and keys
  TokenForm output;
  bool has_bias = false;  // [tokens], the same for every head and query
  bool has_mask = false;  // likewise
};

// Whether an inferd.Attention node attends to its own sequence, with rows that lie as far apart as
// the tokens do, and hides keys at most; what it becomes for `tokens` tokens, or nullopt.
std::optional<PackedAttentionNode> PackAttention(
    const SequenceBindings& bindings, const Node& node,
    const std::array<TokenForm, kAttentionInputs>& forms, int64_t tokens);

}  // namespace inferd
