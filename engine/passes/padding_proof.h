#pragma once

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/passes/token_form.h"

namespace inferd {

// Which input of a model that PackSequences rewrites tells padding: where it is 0 at the end of a
// row, and 1 before, the tokens of the zeros reach no output, so that the row gives the same
// without them. `forms` are those that PackSequences found. This is so when every output has an
// entry for each sequence; every attention hides the keys where that input, an integer a token, is
// 0, or looks back only; and sums over tokens are of what the input makes 0, maxima of what it
// makes very low, or the first token is taken. What the input makes of a value is found by
// evaluating the elementwise operators between at 0 and at 1. "Hides" means -1e4 or less added to a
// score, or a score of that: its weight is 0 in floats beside any that is likely. All inputs must
// be integers or bools, so that no NaN can be in padding. FAILED_PRECONDITION naming the node,
// input or output that forbids it; conservative.
absl::StatusOr<int> FindPaddingMask(const SequenceBindings& bindings,
                                    absl::Span<const TokenForm> forms);

}  // namespace inferd
