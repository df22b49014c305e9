#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace inferd {

// Where sequences that lie one behind the other begin, the last number being where all end:
// INVALID_ARGUMENT unless they start at 0 and never fall, up to at most `tokens`.
absl::Status CheckSequenceOffsets(absl::Span<const int64_t> offsets, int64_t tokens);

}  // namespace inferd
