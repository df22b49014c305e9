#include "engine/core/status_macros.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_convolution.h"

// ConvTranspose on oneDNN.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return SupportsConvolution(graph, node, /*transposed=*/true);
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, true));
  return PrepareConvolution(graph, node, context, conv);
}

}  // namespace

absl::Span<const CpuKernelDef> ConvTransposeKernels() {
  static constexpr CpuKernelDef kKernels[] = {{"", "ConvTranspose", Supports, Layouts, Prepare}};
  return kKernels;
}

}  // namespace inferd::cpu
