#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/providers/cpu/simd/copy_plan.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// Copies parts between their places in a whole and tensors of their own: joins the inputs to output
// 0, or takes the outputs from input 0; the epilogue follows. Parts that lie in their place already
// are left alone. Immutable once all parts were added.
class PartsKernel : public BoundKernel {
 public:
  PartsKernel(bool joins, ElementwiseChain epilogue)
      : joins_(joins), epilogue_(std::move(epilogue)) {}

  // The next part, whose first element is the whole's element `start`, and whose dimensions have
  // `strides` there. Both values are bound.
  void Add(const Value& part, const Value& whole, const Shape::Dims& strides, int64_t start);

  absl::Status Run(const StepContext& context) const override;
  std::string description() const override { return parts_[0].copy.description(); }
  std::optional<RowsPlace> PlaceOfInput(int i) const override;
  std::optional<RowsPlace> PlaceOfOutput(int i) const override;

 private:
  struct Part {
    CopyPlan copy;
    int64_t start_bytes;
    std::optional<RowsPlace> place;
  };
  std::optional<RowsPlace> PlaceOf(int i) const;

  const bool joins_;
  const ElementwiseChain epilogue_;
  std::vector<Part> parts_;
};

}  // namespace inferd::cpu
