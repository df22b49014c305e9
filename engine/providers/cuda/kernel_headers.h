#pragma once

#include "absl/types/span.h"

namespace inferd::cuda {

// A header as generated kernels include it.
struct KernelHeader {
  const char* name;
  const char* text;
};

// Those that the sources of generated kernels need; made by CMake from launch/.
absl::Span<const KernelHeader> KernelHeaders();

}  // namespace inferd::cuda
