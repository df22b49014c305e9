#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// Whether the bound Conv `node` can run in tile registers: bfloat16 channels-last images of two
// dimensions, one group, constant weights, and an epilogue of steps on the sums alone, a tensor of
// the output's shape to add, and bounds, in this order, each of them or not.
bool TakesTileConvolution(const Graph& graph, const Node& node, const Convolution& conv);

// Requires TakesTileConvolution().
absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareTileConvolution(const Graph& graph,
                                                                    const Node& node,
                                                                    const PrepareContext& context,
                                                                    const Convolution& conv);

}  // namespace inferd::cpu
