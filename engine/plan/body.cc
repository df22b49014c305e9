#include "engine/plan/body.h"

#include "engine/core/status_macros.h"
#include "engine/passes/pass.h"
#include "engine/plan/binder.h"

namespace inferd {

absl::StatusOr<std::shared_ptr<const Body>> Body::Make(Graph graph, const PlanOptions& options) {
  std::shared_ptr<Body> body(new Body(std::move(graph), options));
  ASSIGN_OR_RETURN(body->any_plan_, BuildBodyPlan(body->graph_, options));
  return body;
}

std::shared_ptr<const Plan> Body::FindBound(absl::Span<const Tensor> arguments) const {
  absl::InlinedVector<const Tensor*, 8> keys;
  for (const Tensor& argument : arguments) {
    if (argument.kind() != ValueKind::kTensor) return nullptr;
    keys.push_back(&argument);
  }
  return bound_.FindOrMake(keys, false, [&]() -> std::shared_ptr<const Plan> {
    // What does not bind runs by the other plan, whose steps name what is wrong.
    auto plan = Bind(arguments);
    return plan.ok() ? *std::move(plan) : nullptr;
  });
}

ValueType Body::OutputType(int i, absl::Span<const Tensor> arguments) const {
  const absl::StatusOr<Graph> bound = BoundGraph(arguments);
  const Graph& graph = bound.ok() ? *bound : graph_;
  return graph.value(graph.outputs()[i]).type;
}

absl::StatusOr<Graph> Body::BoundGraph(absl::Span<const Tensor> arguments) const {
  Graph typed = graph_;
  std::vector<Shape> shapes;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].kind() == ValueKind::kTensor) {
      typed.value(typed.inputs()[i]).type =
          ValueType::OfTensor(arguments[i].dtype(), arguments[i].shape());
    }
    shapes.push_back(arguments[i].shape());
  }
  return BindShapes(typed, shapes);
}

absl::StatusOr<std::shared_ptr<const Plan>> Body::Bind(absl::Span<const Tensor> arguments) const {
  ASSIGN_OR_RETURN(Graph bound, BoundGraph(arguments));
  if (options_.config != nullptr) {
    for (const auto passes : {GraphPasses(), BoundPasses()}) {
      RETURN_IF_ERROR(RunPasses(passes, bound, {*options_.config, options_.providers}).status());
    }
  }
  return BuildPlan(bound, options_);
}

std::string Body::ToString() const { return any_plan_->ToString(); }

}  // namespace inferd
