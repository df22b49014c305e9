#pragma once

#include "engine/passes/pass.h"

namespace inferd {

// Drops nodes that change nothing: Identity, inference Dropout, Cast to the same type, Transpose
// in order, no-op Reshape, Expand, Slice where shapes are known to be equal, Concat of one input,
// Split into one.
absl::StatusOr<int> RemoveRedundantNodes(Graph& graph, const PassContext& context);

// Follows sizes through Shape, Gather, Concat, arithmetic and the expand idiom: refines the types
// of all values, takes one value for equal sizes and makes the targets of Reshape constant.
absl::StatusOr<int> PropagateShapes(Graph& graph, const PassContext& context);

// A product by the transpose of a large constant that others read as it is, such as an embedding ->
// Gemm, whose weights are packed from that constant: FoldConstants would make a second one.
absl::StatusOr<int> ShareTiedWeights(Graph& graph, const PassContext& context);

// Evaluates nodes whose inputs are constants, never DequantizeLinear, never when the result is much
// larger than its inputs.
absl::StatusOr<int> FoldConstants(Graph& graph, const PassContext& context);

// In a graph with float16 weights: float16 nodes that no provider runs, or all where the config
// asks for 16 bits, which AssignPrecision then gives them -> float32 nodes between Casts, rounding
// to float16 only what others read. Weights take twice the room, providers have kernels and passes
// patterns for them, and fewer digits go.
absl::StatusOr<int> WidenFloat16(Graph& graph, const PassContext& context);

// Views of views, Casts of Casts, Transposes that merge or cancel (also around elementwise nodes),
// Concats of the parts of a value or of Concats.
absl::StatusOr<int> MergeViews(Graph& graph, const PassContext& context);

// Takes one of equal constants and of equal nodes.
absl::StatusOr<int> MergeEqualNodes(Graph& graph, const PassContext& context);

// Neutral elements, inverse and repeated operators, chains of scalars and of bounds, powers,
// choices that are decided.
absl::StatusOr<int> SimplifyArithmetic(Graph& graph, const PassContext& context);

// Folds BatchNormalization and per-channel Mul and Add with constants into the weights and bias of
// the Conv or ConvTranspose before them, or of the Conv after them where no padding is in the way.
absl::StatusOr<int> FoldIntoConvolution(Graph& graph, const PassContext& context);

// Concat of channels that only a BatchNormalization with constant statistics reads -> Concat with a
// factor and an addend a channel as its epilogue.
absl::StatusOr<int> FuseNormalizationIntoConcat(Graph& graph, const PassContext& context);

// x*0.5*(1+erf(x/sqrt(2))) and the tanh forms -> Gelu, in every operand order that exporters write.
absl::StatusOr<int> FuseGelu(Graph& graph, const PassContext& context);

// x*Sigmoid(a*x) -> Swish; x*HardSigmoid(x; 1/6, 1/2) and x*Clip(x+3,0,6)/6 -> HardSwish;
// Clip(x+3,0,6)/6 -> HardSigmoid; x*Tanh(Softplus(x)) -> Mish; Softplus and Sigmoid from Exp.
absl::StatusOr<int> FuseSwish(Graph& graph, const PassContext& context);

// Scales, shifts and BatchNormalization after a Gemm, and scales after a MatMul, into their
// constant weights and bias.
absl::StatusOr<int> FoldIntoProduct(Graph& graph, const PassContext& context);

// A Pad of zeros before a Conv or an AveragePool that counts padding, or of -inf before a MaxPool,
// into its pads.
absl::StatusOr<int> FoldPads(Graph& graph, const PassContext& context);

// Rows less their mean, by the root of the mean of their squares, scaled and shifted ->
// LayerNormalization; without the mean and the shift -> RMSNormalization. In every form: Pow or
// Mul, one Sub or two, Div or Reciprocal, axes kept or brought back by a view.
absl::StatusOr<int> FuseLayerNormalization(Graph& graph, const PassContext& context);

// Reshape, InstanceNormalization, Reshape, Mul and Add per channel -> GroupNormalization.
absl::StatusOr<int> FuseGroupNormalization(Graph& graph, const PassContext& context);

// Appends elementwise consumers to the node before them where a provider runs the two as one.
absl::StatusOr<int> FuseEpilogues(Graph& graph, const PassContext& context);

// Bound graphs: DynamicQuantizeMatMul -> DynamicQuantizeLinear, which products of one value share,
// and MatMulIntegerToFloat.
absl::StatusOr<int> LowerDynamicProducts(Graph& graph, const PassContext& context);

// Bound graphs: Attention and MultiHeadAttention of com.microsoft, without a past -> products, a
// bias and the Attention of ai.onnx, for FuseAttention.
absl::StatusOr<int> LowerAttention(Graph& graph, const PassContext& context);

// Bound graphs: the products, masks and softmax of an attention, with the nodes that split and join
// its heads -> one inferd.Attention that reads its operands where they lie.
absl::StatusOr<int> FuseAttention(Graph& graph, const PassContext& context);

// Bound graphs in 16 bits: a view between a product and elementwise operators goes behind these,
// for FuseEpilogues; a Transpose that moves axes of size one alone is a view.
absl::StatusOr<int> SinkViews(Graph& graph, const PassContext& context);

// Bound graphs: products of one value by constant weights, with a bias or without, that only one
// inferd.Attention reads as Q, K or V -> one product, which it reads in place.
absl::StatusOr<int> MergeProjections(Graph& graph, const PassContext& context);

// Bound graphs: products of what DequantizeLinear makes of 8-bit floats by one scale each, with the
// Transpose before B and Gemm's C -> inferd.ScaledMatMul, where a provider has products of them.
absl::StatusOr<int> FuseScaledProducts(Graph& graph, const PassContext& context);

// Bound graphs, where the config asks for bfloat16 or float16: products read their activations in
// it, and so does what copies or maps values on the way to them; sums of squares, exponents and
// residual streams that no product reads stay floats. Inserts Cast nodes where a node cannot take
// the types.
absl::StatusOr<int> AssignPrecision(Graph& graph, const PassContext& context);

// Bound graphs: what joins channels and scales and shifts each of them before a pointwise
// convolution that alone reads them -> inferd.JoinedConv.
absl::StatusOr<int> FuseIntoPointwise(Graph& graph, const PassContext& context);

// Bound graphs, where a provider has a device: gives it the nodes that it is the first to take, in
// islands of neighbours, except those that would not pay for their copies (which goes on without
// the pass of the name give_back_islands) and arithmetic on shapes.
absl::StatusOr<int> PartitionDevices(Graph& graph, const PassContext& context);

// Bound graphs: gives rank >= 3 values a memory order and inserts Reorder nodes at the borders.
// Views and Transposes between tokens and images take the order in which they move nothing, where
// that leaves fewer bytes to move in the whole graph.
absl::StatusOr<int> AssignLayouts(Graph& graph, const PassContext& context);

// Bound graphs: a Conv, maybe with an activation, and the mean over all pixels of what it makes ->
// inferd.PooledConv, which adds up while it writes.
absl::StatusOr<int> FuseConvPools(Graph& graph, const PassContext& context);

// Bound graphs: a pointwise Conv whose large result a depthwise one alone reads, each maybe with an
// activation -> inferd.ExpandedConv, which keeps a few rows of that result.
absl::StatusOr<int> FuseExpansions(Graph& graph, const PassContext& context);

}  // namespace inferd
