#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cpu/simd/elementwise_step.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// Elementwise steps applied one after the other to pieces of an output small enough to stay in
// cache: an elementwise node with its epilogue, or the epilogue of any other kernel. Operands and
// output may be bfloat16 in memory; the steps work on floats. Immutable.
class ElementwiseChain {
 public:
  // The node's epilogue alone, without its first `skip` steps or what follows the first `end`, to
  // be applied to its first output in place.
  static constexpr size_t kAllSteps = std::numeric_limits<size_t>::max();
  static bool SupportsEpilogue(const Graph& graph, const Node& node, size_t skip = 0,
                               size_t end = kAllSteps);
  static absl::StatusOr<ElementwiseChain> Epilogue(const Graph& graph, const Node& node,
                                                   size_t skip = 0, size_t end = kAllSteps);
  // An elementwise node and its epilogue.
  static bool SupportsNode(const Graph& graph, const Node& node);
  static absl::StatusOr<ElementwiseChain> OfNode(const Graph& graph, const Node& node);

  bool empty() const { return steps_.empty(); }

  // Runs every step over the elements [begin, end) of output 0 in the order of its memory.
  void Apply(const StepContext& context, int64_t begin, int64_t end) const;
  // The same where output 0 is bfloat16 and `sums` what it is made of: the steps work on those
  // floats, which are [begin, end) of it, before they are rounded.
  void ApplyToSums(const StepContext& context, const float* sums, int64_t begin, int64_t end) const;
  // The same in place on `count` of those floats, for steps that take floats and have no operands.
  void ApplyToFloats(float* values, int64_t count) const;
  // Over the whole output with the context's threads.
  void ApplyAll(const StepContext& context) const;

 private:
  static constexpr int kOutput = -1;
  static constexpr int kAbsent = -2;
  static constexpr int kMaxOperands = 3;
  struct Step {
    std::unique_ptr<ElementwiseStep> kernel;
    std::vector<int> operands;  // indices into StepContext::inputs, kOutput or kAbsent
    std::vector<bool> widened;  // whether the operand is given to the kernel as a widened piece
  };

  absl::Status AddEpilogue(const Graph& graph, const Node& node, size_t skip, size_t end);
  absl::Status AddStep(const StepRequest& request, std::vector<int> operands);
  void ApplyPiece(const StepContext& context, int64_t begin, int64_t end) const;
  // `sums` is null where the output has been written.
  void ApplyWidened(const StepContext& context, const float* sums, int64_t begin,
                    int64_t end) const;

  std::vector<Step> steps_;
  bool narrow_output_ = false;  // output 0 is bfloat16: steps work on a piece of floats
  bool widens_ = false;         // it or an operand is
};

}  // namespace inferd::cpu
