#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/providers/cuda/cuda_kernel.h"

namespace inferd::cuda {

// Whether a value is of `type`, or becomes so once and for all: it is a constant of floats that a
// kernel of narrower ones reads.
bool IsOrBecomes(const Graph& graph, ValueId value, DType type);

// The constant in the device's memory as elements of `type`. RESOURCE_EXHAUSTED when memory runs
// out there.
absl::StatusOr<std::shared_ptr<const void>> ConvertedConstant(const Tensor& constant, DType type,
                                                              const CudaPrepareContext& context);

// The constant, of elements of a byte, in the device's memory with its last two dimensions
// exchanged. RESOURCE_EXHAUSTED likewise.
absl::StatusOr<std::shared_ptr<const void>> TransposedConstant(const Tensor& constant,
                                                               const CudaPrepareContext& context);

}  // namespace inferd::cuda
