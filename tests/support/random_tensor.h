#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "absl/types/span.h"
#include "engine/core/tensor.h"

namespace inferd::testing {

// Choices from a fuzzer's bytes, and from a generator seeded with the first six where they end, so
// that equal bytes give equal choices. Used by one thread at a time.
class ByteChooser {
 public:
  explicit ByteChooser(absl::Span<const uint8_t> bytes);

  // In [0, limit); limit >= 1.
  int Below(int limit);
  bool OneIn(int count) { return Below(count) == 0; }

 private:
  uint8_t NextByte();

  absl::Span<const uint8_t> bytes_;
  size_t position_ = 0;
  std::mt19937 generator_;
};

// Float mostly; any element type.
DType RandomDType(ByteChooser& choose);
// Rank 0 to 5, sizes 0 to 4; rarely one huge size beside one of 0.
Shape RandomShape(ByteChooser& choose);
// Small numbers, a sequence, or the extremes of the type; empty when the shape is too large.
Tensor RandomTensorOf(DType dtype, Shape shape, ByteChooser& choose);

int64_t RandomHugeInteger(ByteChooser& choose);
float RandomFloat(ByteChooser& choose);
// A mode of some operator, a number, or an odd text.
std::string RandomWord(ByteChooser& choose);

}  // namespace inferd::testing
