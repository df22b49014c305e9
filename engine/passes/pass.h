#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "config/engine_config.h"
#include "engine/graph/graph.h"
#include "engine/providers/execution_provider.h"

namespace inferd {

// What passes may ask about.
struct PassContext {
  const EngineConfig& config;
  // In the order in which they claim nodes; the portable provider is not among them.
  absl::Span<const std::unique_ptr<ExecutionProvider>> providers;
  // What the running pass counted of each of its patterns; null when nobody asks.
  std::map<std::string, int, std::less<>>* patterns = nullptr;

  // Adds one to the count of a pattern for the report.
  void Count(absl::string_view pattern) const {
    if (patterns != nullptr) ++(*patterns)[std::string(pattern)];
  }
  // Whether a provider other than the portable one runs this node.
  bool Accelerated(const Graph& graph, const Node& node) const;
  // The same for a node that would take the place of `part` and its neighbours: not by a provider
  // that `part` itself would come to after another one. On a device, parts beat a whole in host
  // memory.
  bool Accelerated(const Graph& graph, const Node& node, const Node& part) const;
  // Whether `node` in place of `part` is not taken from a provider that runs `part`. True as well
  // where none runs either.
  bool RunsAsWell(const Graph& graph, const Node& node, const Node& part) const;
};

// From which optimization level on a pass runs.
enum class PassLevel : uint8_t { kAlways, kBasic, kAll };

// One rewrite of a graph: a free function that returns how many changes it made.
struct Pass {
  absl::string_view name;
  PassLevel level = PassLevel::kBasic;
  absl::StatusOr<int> (*run)(Graph& graph, const PassContext& context);
  // Neighbours in the list that repeat run in turns for as long as one of them changes something.
  bool repeats = false;
};

// What one pass did.
struct PassResult {
  std::string name;
  int changes = 0;
  std::map<std::string, int, std::less<>> patterns;  // changes by pattern, for passes with several
  absl::Duration time;                               // of all its turns
  bool skipped = false;                              // switched off by level or by name
};

// The two ordered lists (pipeline.cc): graph passes run once on symbolic shapes and assume only
// what holds for every binding; bound passes run per bound shape.
absl::Span<const Pass> GraphPasses();
absl::Span<const Pass> BoundPasses();

// Runs the passes in order. After each one dead nodes go, the order is restored and the graph is
// verified. Errors name the pass.
absl::StatusOr<std::vector<PassResult>> RunPasses(absl::Span<const Pass> passes, Graph& graph,
                                                  const PassContext& context);

// "fold_constants   12 changes  0.80 ms  pattern 7, other 5" a line.
std::string PassReport(absl::Span<const PassResult> results);

}  // namespace inferd
