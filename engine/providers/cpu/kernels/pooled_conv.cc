#include <optional>
#include <string>

#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/ops/op_registry.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/depthwise_convolution.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// A depthwise convolution that adds its outputs up while they are in the cache.
namespace inferd::cpu {
namespace {

// The Conv with the activation as its epilogue.
Node ConvOf(const Node& node) {
  Node conv = node;
  conv.op = &OpRegistry::Builtin().Get("", "Conv");
  conv.outputs.resize(1);
  const std::string activation = node.attributes.String("activation", "");
  if (activation.empty()) return conv;
  EpilogueStep step;
  step.op = &OpRegistry::Builtin().Get("", activation);
  if (activation == "Swish") step.attributes.Set("alpha", node.attributes.Float("alpha", 1));
  conv.epilogue.push_back(std::move(step));
  return conv;
}

std::optional<DepthwiseShape> ShapeOf(const Graph& graph, const Node& conv) {
  if (!SupportsConvolution(graph, conv, /*transposed=*/false) ||
      !graph.value(conv.inputs[0]).type.shape.IsConcrete() ||
      !graph.value(conv.outputs[0]).type.shape.IsConcrete() ||
      InputDType(graph, conv, 0) != DType::kFloat32 ||
      OutputDType(graph, conv) != DType::kFloat32) {
    return std::nullopt;
  }
  const auto description = DescribeConvolution(graph, conv, /*transposed=*/false);
  return description.ok() ? DepthwiseShapeOf(graph, conv, *description) : std::nullopt;
}

bool Supports(const Graph& graph, const Node& node) {
  if (!node.epilogue.empty() || !HasOutput(node, 0) || !HasOutput(node, 1)) return false;
  const Node conv = ConvOf(node);
  return ElementwiseChain::SupportsEpilogue(graph, conv) && ShapeOf(graph, conv).has_value();
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Node conv = ConvOf(node);
  const auto shape = ShapeOf(graph, conv);
  if (!shape)
    return absl::UnimplementedError("PooledConv: not depthwise over channels-last floats");
  return PrepareDepthwise(graph, conv, context, *shape, /*pools=*/true);
}

constexpr CpuKernelDef kKernels[] = {{"inferd", "PooledConv", Supports, Layouts, Prepare}};

}  // namespace

absl::Span<const CpuKernelDef> PooledConvKernels() { return kKernels; }

}  // namespace inferd::cpu
