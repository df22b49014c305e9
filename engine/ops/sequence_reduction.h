#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/core/shape.h"
#include "engine/graph/attributes.h"

namespace inferd {

// What an inferd.ReduceSequences node makes of the tokens of each sequence. A value type.
struct SequenceReduction {
  enum class Kind : uint8_t { kFirst, kLast, kSum, kMean, kMax, kMin };
  Kind kind = Kind::kFirst;
  int axis = 0;  // of the tokens in the input, of the sequences in the output; all before it are 1

  // From the attributes `kind` and `axis`, for an input of that rank; INVALID_ARGUMENT naming the
  // attribute that is wrong.
  static absl::StatusOr<SequenceReduction> Read(const Attributes& attributes, int rank);
};

}  // namespace inferd
