#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "engine/providers/cpu/bfloat16_convolution.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/depthwise_convolution.h"
#include "engine/providers/cpu/dnnl_convolution.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"
#include "engine/providers/cpu/panel_convolution.h"
#include "engine/providers/cpu/panel_kernel.h"
#include "engine/providers/cpu/winograd_convolution.h"

// Conv on oneDNN.
namespace inferd::cpu {
namespace {

// Candidates that should cost at most so many times as much as the best may be the fastest.
constexpr double kWorthMeasuring = 1.5;

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

// Of the time that oneDNN takes for a direct convolution: weights are fetched ahead.
constexpr double kPanelShare = 0.95;

constexpr double kTileShare = 0.8;

// One way to run a bound convolution.
struct Candidate {
  absl::string_view name;
  double cost = 0;  // as DirectCost() counts
  std::function<absl::StatusOr<std::unique_ptr<BoundKernel>>(const PrepareContext&)> prepare;
};

// The ways to run `node`, the one that should be fastest first. They refer to the arguments.
std::vector<Candidate> CandidatesOf(const Graph& graph, const Node& node, const Convolution& conv) {
  const auto direct = [&](const PrepareContext& context) {
    return PrepareConvolution(graph, node, context, conv);
  };
  // oneDNN's direct algorithm takes every convolution.
  std::vector<Candidate> candidates = {{"direct", DirectCost(conv), direct}};
  if (conv.groups == 1 && conv.window.IsPointwise() && AllChannelsLast(graph, node, conv)) {
    const MatrixProduct as_product = AsProduct(conv);
    const auto product = [&graph, &node, as_product](const PrepareContext& context) {
      return PrepareProduct(graph, node, context, as_product, "1x1 ");
    };
    // Without something to add oneDNN's are about equally fast, which only measuring can tell.
    const bool first = conv.sum >= 0 || TakesPanels(graph, node, as_product);
    const Candidate candidate = {"product", DirectCost(conv), product};
    candidates.insert(first ? candidates.begin() : candidates.end(), candidate);
  }
  if (!conv.window.IsPointwise() && TakesPanelConvolution(graph, node, conv)) {
    candidates.push_back(
        {"panels", kPanelShare * DirectCost(conv), [&](const PrepareContext& context) {
           return PreparePanelConvolution(graph, node, context, conv);
         }});
  }
  if (TakesTileConvolution(graph, node, conv)) {
    candidates.push_back(
        {"tiles", kTileShare * DirectCost(conv), [&](const PrepareContext& context) {
           return PrepareTileConvolution(graph, node, context, conv);
         }});
  }
  if (const auto shape = DepthwiseShapeOf(graph, node, conv)) {
    candidates.push_back({"depthwise", DepthwiseCost(*shape, node),
                          [&graph, &node, shape = *shape](const PrepareContext& context) {
                            return PrepareDepthwise(graph, node, context, shape);
                          }});
  }
  for (const int out_tile : {2, 4}) {
    const auto shape = WinogradShapeOf(graph, node, conv, out_tile);
    if (!shape) continue;
    candidates.push_back({out_tile == 2 ? "winograd 2" : "winograd 4", WinogradCost(*shape),
                          [&graph, &node, shape = *shape](const PrepareContext& context) {
                            return PrepareWinograd(graph, node, context, shape);
                          }});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
  return candidates;
}

std::vector<std::string> Candidates(const Graph& graph, const Node& node) {
  std::vector<std::string> names;
  const auto conv = DescribeConvolution(graph, node, false);
  if (!conv.ok()) return names;
  const std::vector<Candidate> candidates = CandidatesOf(graph, node, *conv);
  for (const Candidate& candidate : candidates) {
    // Packing weights for what cannot win costs memory.
    if (candidate.cost <= kWorthMeasuring * candidates[0].cost) names.emplace_back(candidate.name);
  }
  return names;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const Convolution conv, DescribeConvolution(graph, node, false));
  std::vector<Candidate> candidates = CandidatesOf(graph, node, conv);
  std::stable_partition(candidates.begin(), candidates.end(),
                        [&](const Candidate& c) { return c.name == context.candidate; });
  absl::Status status = absl::InternalError("a convolution has no candidate");
  for (const Candidate& candidate : candidates) {
    auto kernel = candidate.prepare(context);
    if (kernel.ok() || !absl::IsUnimplemented(kernel.status())) return kernel;
    status = kernel.status();
  }
  return status;
}

}  // namespace

absl::Span<const CpuKernelDef> ConvKernels() {
  static constexpr CpuKernelDef kKernels[] = {
      {"", "Conv", Supports, Layouts, Prepare, 10, Candidates}};
  return kKernels;
}

}  // namespace inferd::cpu
