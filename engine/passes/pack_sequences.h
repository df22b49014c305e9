#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/passes/token_form.h"

namespace inferd {

// A model for sequences that lie one behind the other. A value type.
struct PackedSequences {
  Graph graph;
  std::vector<TokenForm> forms;  // by value of the longer binding, of those that were needed
};

// The graph that runs sequences of different lengths laid one behind the other, without padding:
// every input [1,S,...] becomes [1,tokens,...], and two more inputs follow: positions, int64
// [tokens], each token's index in its sequence, and offsets, int64 [sequences + 1], where each
// sequence begins, the last being where all end. Tokens behind that give outputs of no meaning, and
// so do sequences without tokens. Operators that treat tokens alone run as they are, attention and
// running sums by the offsets, and what depends on a token's position alone is looked up. The first
// or last token, or a reduction over the tokens, is an entry for each sequence from there on.
// Outputs are [1,tokens,...] or [sequences,...]. FAILED_PRECONDITION naming the node that mixes
// tokens or sequences in another way, or the input or output that has none; conservative: an
// operator it does not know refuses.
absl::StatusOr<PackedSequences> PackSequences(const SequenceBindings& bindings, int64_t tokens,
                                              int64_t sequences);

}  // namespace inferd
