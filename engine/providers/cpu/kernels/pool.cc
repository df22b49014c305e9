#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/op_def.h"
#include "engine/ops/pooling.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_kernel_builder.h"
#include "engine/providers/cpu/dnnl_window.h"
#include "engine/providers/cpu/node_checks.h"

// Pools on oneDNN, channels-last.
namespace inferd::cpu {
namespace {

using dnnl::algorithm;
using dnnl::memory;

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kChannelsLast; }

bool IsFloatImage(const Graph& graph, const Node& node) {
  if (!FloatNode(graph, node, 1, 1) || !WithinSizeLimits(graph, node)) return false;
  const int rank = InputShape(graph, node, 0).rank();
  return node.epilogue.empty() && rank >= 3 && rank <= 5 &&
         InputType(graph, node, 0) == OutputType(graph, node);
}

bool SupportsWindow(const Graph& graph, const Node& node) {
  if (!IsFloatImage(graph, node)) return false;
  for (int64_t dilation : node.attributes.Ints("dilations")) {
    if (dilation != 1) return false;  // oneDNN has reference code only
  }
  const auto& kernel = node.attributes.Ints("kernel_shape");
  const auto& pads = node.attributes.Ints("pads");
  for (size_t i = 0; i < pads.size() && !kernel.empty(); ++i) {
    if (pads[i] >= kernel[i % kernel.size()]) return false;  // oneDNN refuses them
  }
  const auto spatial = absl::MakeConstSpan(InputShape(graph, node, 0).dims()).subspan(2);
  return ResolveWindow(node.attributes, spatial, {}).ok();
}

bool SupportsAverage(const Graph& graph, const Node& node) {
  // What ceil_mode adds past the padding does not count for ONNX, but does for oneDNN.
  const bool ceil = node.attributes.Int("ceil_mode", 0) != 0;
  const bool count_padding = node.attributes.Int("count_include_pad", 0) != 0;
  return SupportsWindow(graph, node) && !(ceil && count_padding);
}

algorithm AlgorithmOf(const Node& node) {
  if (node.op->name == "MaxPool" || node.op->name == "GlobalMaxPool") {
    return algorithm::pooling_max;
  }
  return node.attributes.Int("count_include_pad", 0) != 0 ? algorithm::pooling_avg_include_padding
                                                          : algorithm::pooling_avg_exclude_padding;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PreparePool(const Graph& graph, const Node& node,
                                                         const PrepareContext& context,
                                                         const Window& resolved) {
  const DnnlWindow window = DnnlWindow::Of(resolved);
  const memory::dims source_dims = LiftedDims(InputShape(graph, node, 0).ToShape());
  const memory::dims destination_dims = LiftedDims(OutputShape(graph, node).ToShape());
  const memory::data_type type = InputType(graph, node, 0);
  const auto source = DenseDesc(source_dims, type, Layout::kChannelsLast);
  const auto destination = DenseDesc(destination_dims, type, Layout::kChannelsLast);
  const algorithm kind = AlgorithmOf(node);
  const std::string key =
      absl::StrCat("pool ", static_cast<int>(kind), " t", static_cast<int>(type), " ",
                   DimsText(source_dims), ">", DimsText(destination_dims), window.Key());
  DnnlKernelBuilder builder(graph, node, context);
  ASSIGN_OR_RETURN(const auto primitive, builder.Primitive(key, [&] {
    const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference, kind, source,
                                           destination, window.strides, window.kernel,
                                           window.pads_begin, window.pads_end);
    const dnnl::pooling_forward::primitive_desc pd(desc, DnnlKernelBuilder::UserScratchpad(),
                                                   DnnlEngine());
    return DnnlPrimitive{.primitive = dnnl::pooling_forward(pd),
                         .scratchpad = pd.scratchpad_desc(),
                         .implementation = pd.impl_info_str()};
  }));
  std::vector<DnnlArgument> arguments(2);
  ASSIGN_OR_RETURN(arguments[0],
                   builder.Activation(DNNL_ARG_SRC, 0, source, Layout::kChannelsLast));
  arguments[1] = builder.Output(DNNL_ARG_DST, destination, Layout::kChannelsLast);
  builder.AddCall(primitive, std::move(arguments));
  return builder.Build(primitive->implementation);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareWindow(const Graph& graph, const Node& node,
                                                           const PrepareContext& context) {
  ASSIGN_OR_RETURN(const Window window,
                   ResolvePool(node.attributes, InputShape(graph, node, 0).ToShape()));
  return PreparePool(graph, node, context, window);
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareGlobal(const Graph& graph, const Node& node,
                                                           const PrepareContext& context) {
  const Shape shape = InputShape(graph, node, 0).ToShape();
  Window window;
  window.input.assign(shape.dims().begin() + 2, shape.dims().end());
  window.kernel = window.input;
  window.strides.assign(window.rank(), 1);
  window.dilations = window.output = window.strides;
  window.pads_begin.assign(window.rank(), 0);
  window.pads_end = window.pads_begin;
  return PreparePool(graph, node, context, window);
}

}  // namespace

absl::Span<const CpuKernelDef> PoolKernels() {
  // Own reductions come before the global pools.
  static constexpr CpuKernelDef kKernels[] = {
      {"", "MaxPool", SupportsWindow, Layouts, PrepareWindow},
      {"", "AveragePool", SupportsAverage, Layouts, PrepareWindow},
      {"", "GlobalMaxPool", IsFloatImage, Layouts, PrepareGlobal, 20},
      {"", "GlobalAveragePool", IsFloatImage, Layouts, PrepareGlobal, 20},
  };
  return kKernels;
}

}  // namespace inferd::cpu
