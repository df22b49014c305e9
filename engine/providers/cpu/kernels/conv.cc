#include <algorithm>

#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"

// Conv on oneDNN.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return SupportsConvolution(graph, node, /*transposed=*/false);
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

// Whether source, output and the tensors that the epilogue reads are stored channels-last, as the
// layout preference asks.
bool AllChannelsLast(const Graph& graph, const Node& node, const Convolution& conv) {
  const auto channels_last = [&](ValueId id) {
    const Value& value = graph.value(id);
    return SameOrder(value.type.shape.ToShape(), value.layout, Layout::kChannelsLast);
  };
  return channels_last(node.inputs[0]) && channels_last(node.outputs[0]) &&
         std::all_of(conv.post_ops.begin(), conv.post_ops.end(), [&](const PostOp& op) {
           return op.kind != PostOp::Kind::kSameShape || channels_last(node.inputs[op.operand]);
         });
}

// A pointwise convolution is a matrix product, pixels times channels. oneDNN's product takes a
// tensor to add without losing its best implementation, unlike its convolution.
MatrixProduct AsProduct(const Convolution& conv) {
  const int64_t inputs = conv.source[1];
  const int64_t outputs = conv.destination[1];
  const int64_t pixels = ElementCount(conv.source) / inputs;
  MatrixProduct product;
  product.source = {pixels, inputs};
  product.weights = {inputs, outputs};
  product.weights_transposed = true;
  product.destination = {pixels, outputs};
  product.bias = conv.has_bias ? 2 : -1;
  product.post_ops = conv.post_ops;
  product.layout = Layout::kChannelsLast;
  return product;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, false));
  const bool adds_tensor = conv.sum >= 0;
  if (adds_tensor && conv.window.IsPointwise() && AllChannelsLast(graph, node, conv)) {
    return PrepareProduct(graph, node, context, AsProduct(conv), "1x1 ");
  }
  return PrepareConvolution(graph, node, context, conv);
}

}  // namespace

absl::Span<const CpuKernelDef> ConvKernels() {
  static constexpr CpuKernelDef kKernels[] = {{"", "Conv", Supports, Layouts, Prepare}};
  return kKernels;
}

}  // namespace inferd::cpu
