#pragma once

#include <optional>
#include <string>

#include "engine/providers/cuda/launch/elementwise.h"

namespace inferd::cuda {

// Source of a kernel that does what one elementwise program does, for NVRTC or any compiler that is
// given the headers of launch/. Element types, instructions, strides and all sizes but the
// outermost are constants in it, so that batches of other sizes share it. A value type.
struct ElementwiseSource {
  static constexpr char kKernel[] = "Chain";  // takes ChainArguments
  static constexpr int kThreads = 256;        // of a block, in one dimension; any number of blocks

  std::string text;
  int elements_per_thread = 1;

  // Nullopt for what cannot be written as a constant: an operand that is not finite.
  static std::optional<ElementwiseSource> Of(const ElementwiseProgram& program);
};

}  // namespace inferd::cuda
