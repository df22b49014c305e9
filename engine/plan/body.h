#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/plan/plan_builder.h"
#include "engine/plan/shape_cache.h"

namespace inferd {

// A body of If, Loop or Scan: compiled once as a plan of dynamic steps that takes any arguments,
// and bound to the types of the arguments that come back. Thread-safe.
class Body {
 public:
  // What `options` points to must outlive the body.
  static absl::StatusOr<std::shared_ptr<const Body>> Make(Graph graph, const PlanOptions& options);

  const std::shared_ptr<const Plan>& any_plan() const { return any_plan_; }
  size_t num_inputs() const { return graph_.inputs().size(); }
  size_t num_outputs() const { return graph_.outputs().size(); }

  // The plan bound to these arguments' types; null when there is none (yet).
  std::shared_ptr<const Plan> FindBound(absl::Span<const Tensor> arguments) const;
  // As much of output i's type as is known for these arguments.
  ValueType OutputType(int i, absl::Span<const Tensor> arguments) const;

  std::string ToString() const;

 private:
  Body(Graph graph, const PlanOptions& options) : graph_(std::move(graph)), options_(options) {}
  absl::StatusOr<Graph> BoundGraph(absl::Span<const Tensor> arguments) const;
  absl::StatusOr<std::shared_ptr<const Plan>> Bind(absl::Span<const Tensor> arguments) const;

  const Graph graph_;
  const PlanOptions options_;
  std::shared_ptr<const Plan> any_plan_;
  mutable ShapeCache<Plan> bound_;
};

}  // namespace inferd
