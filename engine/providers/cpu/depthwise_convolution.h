#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/cpu/simd/depthwise_f32.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// The shape of a depthwise convolution that the own kernel computes: square windows of 3, 5 or 7
// without dilation, constant weights, channels-last values; nullopt for others.
std::optional<DepthwiseShape> DepthwiseShapeOf(const Graph& graph, const Node& node,
                                               const Convolution& conv);

// As DirectCost() counts: oneDNN's kernel is the faster one for few products an output and an
// epilogue that takes no time.
double DepthwiseCost(const DepthwiseShape& shape, const Node& node);

// Its constant weights as DepthwiseRow reads them.
absl::StatusOr<std::shared_ptr<const PackedWeights>> PackDepthwise(const Tensor& weights,
                                                                   const DepthwiseShape& shape,
                                                                   WeightStore& store);

// For kernels that also write the means of each image's channels: adds up a row of the outputs `y`
// while it is in the first cache; `sums` has room for the channels of every row, `scratch` for
// those of one.
void SumDepthwiseRow(const DepthwiseShape& shape, const float* y, int64_t row, float* sums,
                     float* scratch);
// The means from the sums of all rows.
void WriteDepthwiseMeans(const DepthwiseShape& shape, const float* sums, float* means,
                         float* scratch);

// UNIMPLEMENTED when the epilogue has steps that no own kernel computes. With `pools` the kernel
// writes the means of each image's channels, epilogue included, to output 1; floats only.
absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareDepthwise(const Graph& graph, const Node& node,
                                                              const PrepareContext& context,
                                                              const DepthwiseShape& shape,
                                                              bool pools = false);

}  // namespace inferd::cpu
