#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/cpu/simd/winograd_f32.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// The shape of Winograd's algorithm with tiles of `out_tile` for a convolution; nullopt for those
// it does not compute: it takes 3x3 with stride 1, constant weights and channels-last values.
std::optional<WinogradShape> WinogradShapeOf(const Graph& graph, const Node& node,
                                             const Convolution& conv, int out_tile);

// About how long a convolution takes, in multiplications of a core at its peak: directly, and by
// Winograd. Good enough to tell which is faster.
double DirectCost(const Convolution& conv);
double WinogradCost(const WinogradShape& shape);

// UNIMPLEMENTED when the epilogue has steps that no own kernel computes.
absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareWinograd(const Graph& graph, const Node& node,
                                                             const PrepareContext& context,
                                                             const WinogradShape& shape);

}  // namespace inferd::cpu
