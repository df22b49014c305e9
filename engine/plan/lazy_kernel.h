#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/plan/plan_builder.h"
#include "engine/plan/shape_cache.h"
#include "engine/providers/portable/portable_kernel.h"

namespace inferd {

// The kernel of a dynamic step: the portable one, or a provider's prepared for the shapes that the
// inputs turn out to have, where the outputs' shapes follow from them. Those of the last few shapes
// are kept; for small tensors it takes shapes that come back. Outputs are allocated.
// Run may be called by many threads at once; a prepared kernel takes a lock that is held briefly.
class LazyKernel : public BoundKernel {
 public:
  // The node must not be control flow. What `options` points to must outlive the kernel.
  LazyKernel(const Graph& graph, const Node& node, const PlanOptions& options);

  absl::Status Run(const StepContext& context) const override;
  std::string description() const override { return "by shapes"; }

 private:
  // A kernel for some inputs and the types of its outputs.
  struct Prepared {
    std::unique_ptr<BoundKernel> kernel;
    std::vector<ValueType> outputs;
  };

  std::shared_ptr<const Prepared> Find(absl::Span<const Tensor* const> inputs) const;
  std::shared_ptr<const Prepared> Prepare(absl::Span<const Tensor* const> inputs) const;
  absl::Status RunPrepared(const Prepared& prepared, const StepContext& context) const;

  const PlanOptions options_;
  const PortableKernel portable_;
  Graph graph_;  // the node alone
  mutable ShapeCache<Prepared> cache_;
};

}  // namespace inferd
