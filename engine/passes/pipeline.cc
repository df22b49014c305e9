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
    {"remove_redundant_nodes", PassLevel::kBasic, RemoveRedundantNodes},
    {"fold_constants", PassLevel::kBasic, FoldConstants},
    {"fold_into_convolution", PassLevel::kBasic, FoldIntoConvolution},
    {"fuse_layer_normalization", PassLevel::kAll, FuseLayerNormalization},
    {"fuse_gelu", PassLevel::kAll, FuseGelu},
    {"fuse_swish", PassLevel::kAll, FuseSwish},
};

constexpr Pass kBoundPasses[] = {
    {"remove_redundant_nodes", PassLevel::kBasic, RemoveRedundantNodes},
    {"fuse_attention", PassLevel::kAll, FuseAttention},
    // With shapes known, residuals can be shown to be equal; and attentions are whole until here.
    {"fuse_epilogues", PassLevel::kAll, FuseEpilogues},
    // Before layouts, so that reorders move half the bytes.
    {"assign_precision", PassLevel::kBasic, AssignPrecision},
    {"assign_layouts", PassLevel::kBasic, AssignLayouts},
};

bool Enabled(const Pass& pass, const EngineConfig& config) {
  const auto& off = config.disabled_passes;
  if (std::find(off.begin(), off.end(), pass.name) != off.end()) return false;
  if (pass.level == PassLevel::kAlways) return true;
  if (pass.level == PassLevel::kBasic) return config.optimization_level != "none";
  return config.optimization_level == "all";
}

absl::StatusOr<PassResult> RunPass(const Pass& pass, Graph& graph, const PassContext& context) {
  PassResult result;
  result.name = std::string(pass.name);
  result.skipped = !Enabled(pass, context.config);
  if (result.skipped) return result;
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(result.changes, pass.run(graph, context));
  if (result.changes > 0) {
    graph.RemoveDeadNodes();
    RETURN_IF_ERROR(graph.SortAndCompact());
    RETURN_IF_ERROR(graph.Verify());
  }
  result.time = absl::Now() - start;
  return result;
}

}  // namespace

absl::Span<const Pass> GraphPasses() { return kGraphPasses; }
absl::Span<const Pass> BoundPasses() { return kBoundPasses; }

bool PassContext::Accelerated(const Graph& graph, const Node& node) const {
  return std::any_of(providers.begin(), providers.end(),
                     [&](const auto& provider) { return provider->Supports(graph, node); });
}

absl::StatusOr<std::vector<PassResult>> RunPasses(absl::Span<const Pass> passes, Graph& graph,
                                                  const PassContext& context) {
  std::vector<PassResult> results;
  for (const Pass& pass : passes) {
    absl::StatusOr<PassResult> result = RunPass(pass, graph, context);
    if (!result.ok()) return Annotate(result.status(), absl::StrCat("pass ", pass.name));
    results.push_back(*std::move(result));
  }
  return results;
}

std::string PassReport(absl::Span<const PassResult> results) {
  std::string text;
  for (const PassResult& result : results) {
    if (result.skipped) {
      absl::StrAppendFormat(&text, "%-28s switched off\n", result.name);
    } else {
      absl::StrAppendFormat(&text, "%-28s %5d changes %8.2f ms\n", result.name, result.changes,
                            absl::ToDoubleMilliseconds(result.time));
    }
  }
  return text;
}

}  // namespace inferd
