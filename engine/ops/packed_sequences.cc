#include "engine/ops/packed_sequences.h"

#include "absl/strings/str_cat.h"

namespace inferd {

absl::Status CheckSequenceOffsets(absl::Span<const int64_t> offsets, int64_t tokens) {
  int64_t before = 0;
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] < before || offsets[i] > tokens || (i == 0 && offsets[i] != 0)) {
      return absl::InvalidArgumentError(absl::StrCat("sequence offset ", i, " is ", offsets[i],
                                                     ", expected ", before, " to ",
                                                     i == 0 ? 0 : tokens));
    }
    before = offsets[i];
  }
  return absl::OkStatus();
}

}  // namespace inferd
