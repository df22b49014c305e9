#pragma once

#include "absl/status/statusor.h"
#include "engine/core/status_macros.h"
#include "engine/graph/attributes.h"

namespace inferd {

// How DepthToSpace and SpaceToDepth order a block's pixels among the channels.
struct BlockMode {
  int64_t size = 1;               // a block is [size, size] pixels
  bool column_row_depth = false;  // channels hold [C, row, column], else [row, column, C]
};

// From the attributes "blocksize" and "mode".
inline absl::StatusOr<BlockMode> ParseBlockMode(const Attributes& attributes) {
  const int64_t size = attributes.Int("blocksize", 0);
  const std::string mode = attributes.String("mode", "DCR");
  if (size < 1 || size > (1 << 20) || (mode != "DCR" && mode != "CRD")) {
    return absl::InvalidArgumentError(absl::StrCat("blocksize is ", size, " and mode \"", mode,
                                                   "\", expected 1 or more and DCR or CRD"));
  }
  return BlockMode{size, mode == "CRD"};
}

}  // namespace inferd
