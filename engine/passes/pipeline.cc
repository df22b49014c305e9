#include <algorithm>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "engine/core/status_macros.h"
#include "engine/ops/shape_inference.h"
#include "engine/passes/pass.h"
#include "engine/passes/passes.h"

namespace inferd {
namespace {

constexpr Pass kGraphPasses[] = {
    {"widen_float16", PassLevel::kBasic, WidenFloat16},
    {"remove_redundant_nodes", PassLevel::kBasic, RemoveRedundantNodes, true},
    {"share_tied_weights", PassLevel::kBasic, ShareTiedWeights, true},
    {"fold_constants", PassLevel::kBasic, FoldConstants, true},
    {"propagate_shapes", PassLevel::kBasic, PropagateShapes, true},
    {"merge_views", PassLevel::kBasic, MergeViews, true},
    {"merge_equal_nodes", PassLevel::kBasic, MergeEqualNodes, true},
    {"simplify_arithmetic", PassLevel::kBasic, SimplifyArithmetic, true},
    {"fold_pads", PassLevel::kBasic, FoldPads, true},
    {"fold_into_product", PassLevel::kBasic, FoldIntoProduct, true},
    {"fold_into_convolution", PassLevel::kBasic, FoldIntoConvolution},
    {"fuse_normalization_into_concat", PassLevel::kAll, FuseNormalizationIntoConcat},
    {"fuse_layer_normalization", PassLevel::kAll, FuseLayerNormalization},
    {"fuse_group_normalization", PassLevel::kAll, FuseGroupNormalization},
    {"fuse_gelu", PassLevel::kAll, FuseGelu},
    {"fuse_swish", PassLevel::kAll, FuseSwish},
};

constexpr Pass kBoundPasses[] = {
    {"lower_dynamic_products", PassLevel::kBasic, LowerDynamicProducts},
    {"remove_redundant_nodes", PassLevel::kBasic, RemoveRedundantNodes, true},
    {"merge_views", PassLevel::kBasic, MergeViews, true},
    {"merge_equal_nodes", PassLevel::kBasic, MergeEqualNodes, true},
    {"lower_attention", PassLevel::kAll, LowerAttention},
    {"fuse_attention", PassLevel::kAll, FuseAttention},
    {"sink_views", PassLevel::kAll, SinkViews},
    {"fuse_scaled_products", PassLevel::kAll, FuseScaledProducts},
    // With shapes known, residuals can be shown to be equal; and attentions are whole until here.
    {"fuse_epilogues", PassLevel::kAll, FuseEpilogues},
    {"merge_projections", PassLevel::kAll, MergeProjections},
    // Before layouts, so that reorders move half the bytes.
    {"assign_precision", PassLevel::kBasic, AssignPrecision},
    {"fuse_into_pointwise", PassLevel::kAll, FuseIntoPointwise},
    // Who runs what is settled before memory orders, which differ between providers.
    {"partition_devices", PassLevel::kAlways, PartitionDevices},
    {"assign_layouts", PassLevel::kBasic, AssignLayouts},
    // Kernels of several operators read and write one layout.
    {"fuse_conv_pools", PassLevel::kAll, FuseConvPools},
    {"fuse_expansions", PassLevel::kAll, FuseExpansions},
};

bool Enabled(const Pass& pass, const EngineConfig& config) {
  const auto& off = config.disabled_passes;
  if (std::find(off.begin(), off.end(), pass.name) != off.end()) return false;
  if (pass.level == PassLevel::kAlways) return true;
  if (pass.level == PassLevel::kBasic) return config.optimization_level != "none";
  return config.optimization_level == "all";
}

// Turns that passes which enable each other may take. Real graphs settle in two or three; each of
// them costs a walk of the graph.
constexpr int kMaxTurns = 6;

// One turn of a pass, added to its result.
absl::Status RunPass(const Pass& pass, Graph& graph, PassContext context, PassResult* result) {
  const absl::Time start = absl::Now();
  context.patterns = &result->patterns;
  const absl::StatusOr<int> changes = pass.run(graph, context);
  if (!changes.ok()) return Annotate(changes.status(), absl::StrCat("pass ", pass.name));
  if (*changes > 0) {
    graph.RemoveDeadNodes();
    absl::Status status = graph.SortAndCompact();
    if (status.ok()) status = graph.Verify();
    if (!status.ok()) return Annotate(status, absl::StrCat("pass ", pass.name));
  }
  result->changes += *changes;
  result->time += absl::Now() - start;
  return absl::OkStatus();
}

// Lets go of the bytes of constants that were folded into others.
void DropUnreadConstants(Graph& graph) {
  const auto readers = graph.Consumers();
  std::vector<bool> kept(graph.num_values(), false);
  for (ValueId output : graph.outputs()) kept[output] = true;
  for (ValueId input : graph.inputs()) kept[input] = true;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (!kept[id] && readers[id].empty()) graph.value(id).constant.reset();
  }
}

// Runs neighbours in the list in turns until none of them changes anything.
absl::Status RunGroup(absl::Span<const Pass> passes, Graph& graph, const PassContext& context,
                      absl::Span<PassResult> results) {
  size_t unchanged = 0;  // passes in a row that had nothing to do
  for (int turn = 0; turn < (passes[0].repeats ? kMaxTurns : 1); ++turn) {
    for (size_t i = 0; i < passes.size(); ++i) {
      if (unchanged == passes.size()) return absl::OkStatus();
      const int before = results[i].changes;
      if (!results[i].skipped) RETURN_IF_ERROR(RunPass(passes[i], graph, context, &results[i]));
      unchanged = results[i].changes == before ? unchanged + 1 : 0;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const Pass> GraphPasses() { return kGraphPasses; }
absl::Span<const Pass> BoundPasses() { return kBoundPasses; }

bool PassContext::Accelerated(const Graph& graph, const Node& node) const {
  return std::any_of(providers.begin(), providers.end(),
                     [&](const auto& provider) { return provider->Supports(graph, node); });
}

bool PassContext::Accelerated(const Graph& graph, const Node& node, const Node& part) const {
  for (const auto& provider : providers) {
    if (provider->Supports(graph, node)) return true;
    if (provider->Supports(graph, part)) return false;
  }
  return false;
}

bool PassContext::RunsAsWell(const Graph& graph, const Node& node, const Node& part) const {
  for (const auto& provider : providers) {
    if (provider->Supports(graph, node)) return true;
    if (provider->Supports(graph, part)) return false;
  }
  return true;
}

absl::StatusOr<std::vector<PassResult>> RunPasses(absl::Span<const Pass> passes, Graph& graph,
                                                  const PassContext& context) {
  std::vector<PassResult> results(passes.size());
  for (size_t i = 0; i < passes.size(); ++i) {
    results[i].name = std::string(passes[i].name);
    results[i].skipped = !Enabled(passes[i], context.config);
  }
  for (size_t begin = 0; begin < passes.size();) {
    size_t end = begin + 1;
    while (passes[begin].repeats && end < passes.size() && passes[end].repeats) ++end;
    RETURN_IF_ERROR(RunGroup(passes.subspan(begin, end - begin), graph, context,
                             absl::MakeSpan(results).subspan(begin, end - begin)));
    begin = end;
  }
  DropUnreadConstants(graph);
  return results;
}

std::string PassReport(absl::Span<const PassResult> results) {
  std::string text;
  for (const PassResult& result : results) {
    if (result.skipped) {
      absl::StrAppendFormat(&text, "%-28s switched off\n", result.name);
    } else {
      absl::StrAppendFormat(&text, "%-28s %5d changes %8.2f ms", result.name, result.changes,
                            absl::ToDoubleMilliseconds(result.time));
      absl::string_view separator = "  ";
      for (const auto& [pattern, count] : result.patterns) {
        absl::StrAppend(&text, separator, pattern, " ", count);
        separator = ", ";
      }
      absl::StrAppend(&text, "\n");
    }
  }
  return text;
}

}  // namespace inferd
