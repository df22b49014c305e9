#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/providers/cuda/launch/elementwise.h"

namespace inferd::cuda {

// Source of a kernel that does what one elementwise program does, for NVRTC or any compiler that is
// given the headers of launch/. Element types, instructions and which strides are 0 or 1 are
// constants in it. A value type.
struct ElementwiseSource {
  // Whether the other strides and all sizes but the outermost are constants, too, or arguments, so
  // that programs of all sizes share the source as long as their rows divide as evenly.
  enum class Sizes : uint8_t { kConstants, kArguments };

  static constexpr char kKernel[] = "Chain";  // takes ChainArguments
  static constexpr int kThreads = 256;        // of a block, in one dimension; any number of blocks

  std::string text;
  int elements_per_thread = 1;

  // Nullopt for what cannot be written as a constant: an operand that is not finite.
  static std::optional<ElementwiseSource> Of(const ElementwiseProgram& program, Sizes sizes);
};

}  // namespace inferd::cuda
