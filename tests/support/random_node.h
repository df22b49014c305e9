#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/graph/graph.h"

namespace inferd::testing {

// A graph of one node and inputs that fit its declared types: what a hostile model may ask of one
// operator. A value type.
struct RandomNodeModel {
  Graph graph;
  std::vector<Tensor> inputs;  // in the order of the graph's inputs
  std::string Describe() const;
};

// The bytes choose an operator of the registry (the first two), its attributes, and its inputs'
// types, shapes, values and whether they are constants; a generator seeded by them goes on where
// they end. Prefers nodes that the operator's shape rule takes. Equal bytes give equal models.
RandomNodeModel MakeRandomNode(absl::Span<const uint8_t> bytes);
// How many operators the first two bytes choose from.
int NumRandomOperators();

// Compiles the model as the engine does for this provider ("cpu" or "portable") and runs it once;
// no arena and no dynamic tensor may take more than `limit_bytes`. Copies of the outputs.
absl::StatusOr<std::vector<Tensor>> RunRandomNode(const RandomNodeModel& model,
                                                  const std::string& provider, int64_t limit_bytes);

// INTERNAL saying what is wrong when a run on either provider breaks the engine's own rules (an
// INTERNAL error, types that differ from the declared ones) or takes over `max_cpu_seconds`.
// A refusal is no fault.
absl::Status CheckRandomNode(const RandomNodeModel& model, double max_cpu_seconds);

}  // namespace inferd::testing
