#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// Whether the bound Conv `node` can run as a product by panels, whose rows are the pixels under the
// window: two spatial dimensions, one group, constant weights, channels-last values, not so few
// channels that a pixel is no stretch worth a pointer.
bool TakesPanelConvolution(const Graph& graph, const Node& node, const Convolution& conv);

// UNIMPLEMENTED when the epilogue has steps that no own kernel computes.
absl::StatusOr<std::unique_ptr<BoundKernel>> PreparePanelConvolution(const Graph& graph,
                                                                     const Node& node,
                                                                     const PrepareContext& context,
                                                                     const Convolution& conv);

}  // namespace inferd::cpu
