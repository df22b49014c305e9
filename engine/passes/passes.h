#pragma once

#include "engine/passes/pass.h"

namespace inferd {

// Drops nodes that change nothing: Identity, inference Dropout, Cast to the same type, Transpose
// in order, no-op Reshape, Expand, Slice where shapes are known to be equal, Concat of one input.
absl::StatusOr<int> RemoveRedundantNodes(Graph& graph, const PassContext& context);

// Evaluates nodes whose inputs are constants, never DequantizeLinear, never when the result is much
// larger than its inputs.
absl::StatusOr<int> FoldConstants(Graph& graph, const PassContext& context);

// Folds BatchNormalization and per-channel Mul and Add with constants into the weights and bias of
// the Conv or ConvTranspose before them.
absl::StatusOr<int> FoldIntoConvolution(Graph& graph, const PassContext& context);

// x*0.5*(1+erf(x/sqrt(2))) and the tanh forms -> Gelu, in every operand order that exporters write.
absl::StatusOr<int> FuseGelu(Graph& graph, const PassContext& context);

// x*Sigmoid(x) -> Swish; x*HardSigmoid(x; 1/6, 1/2) and x*Clip(x+3,0,6)/6 -> HardSwish.
absl::StatusOr<int> FuseSwish(Graph& graph, const PassContext& context);

// ReduceMean, Sub, Pow, ReduceMean, Add, Sqrt, Div, Mul, Add -> LayerNormalization.
absl::StatusOr<int> FuseLayerNormalization(Graph& graph, const PassContext& context);

// Appends elementwise consumers to the node before them where a provider runs the two as one.
absl::StatusOr<int> FuseEpilogues(Graph& graph, const PassContext& context);

// Bound graphs, where the config asks for bfloat16: products read their activations in it, and so
// does what copies or maps values on the way to them; sums of squares, exponents and residual
// streams that no product reads stay floats. Inserts Cast nodes where a node cannot take the types.
absl::StatusOr<int> AssignPrecision(Graph& graph, const PassContext& context);
// Bound graphs: the products, masks and softmax of an attention, with the nodes that split and join
// its heads -> one inferd.Attention that reads its operands where they lie.
absl::StatusOr<int> FuseAttention(Graph& graph, const PassContext& context);

// Bound graphs: gives rank >= 3 values a memory order and inserts Reorder nodes at the borders.
absl::StatusOr<int> AssignLayouts(Graph& graph, const PassContext& context);

}  // namespace inferd
