#pragma once

#include <optional>

#include "absl/strings/string_view.h"
#include "engine/graph/graph.h"
#include "engine/passes/token_form.h"

namespace inferd {

// How a node makes one entry of all tokens of a sequence. A value type.
struct TokenPooling {
  absl::string_view kind;  // as inferd.ReduceSequences calls it
  TokenForm output;        // of the node
};

// What a node does that takes the first or the last token of its input, or reduces over the tokens
// alone: Gather and Slice by constants, ReduceSum, ReduceMean, ReduceMax and ReduceMin. `data` is
// the form of its first input; nullopt where the node does anything else.
std::optional<TokenPooling> PoolingOf(const SequenceBindings& bindings, const Node& node,
                                      const TokenForm& data);

}  // namespace inferd
