#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "engine/providers/cuda/cuda_context.h"
#include "engine/providers/cuda/launch/elementwise.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cuda {

class GeneratedKernel;
class GeneratedKernels;

// Elementwise operators as one kernel: a node with its epilogue, or the epilogue of any other
// kernel. Immutable.
class ElementwisePlan {
 public:
  static bool SupportsNode(const Graph& graph, const Node& node);
  static absl::StatusOr<ElementwisePlan> OfNode(const Graph& graph, const Node& node);
  // The node's epilogue without its first `skip` steps, applied to its first output in place.
  static bool SupportsEpilogue(const Graph& graph, const Node& node, size_t skip = 0);
  static absl::StatusOr<ElementwisePlan> Epilogue(const Graph& graph, const Node& node,
                                                  size_t skip = 0);

  // Takes a kernel of its own instead of the one that interprets programs, where there can be one.
  void Generate(GeneratedKernels& kernels);
  // For the plan's text: " (generated)", or why that failed; empty where no kernels are generated.
  const std::string& note() const { return note_; }

  bool empty() const { return program_.num_instructions == 0; }
  void Launch(const StepContext& context, CudaContext& cuda) const;
  // For tests: the program without addresses.
  const ElementwiseProgram& program() const { return program_; }

 private:
  friend class ElementwisePlanner;
  static constexpr int kOutput = -1;

  ElementwiseProgram program_;
  std::vector<int> sources_;  // of the program's inputs: among the step's inputs, or kOutput
  std::shared_ptr<const GeneratedKernel> generated_;
  std::string note_;
};

}  // namespace inferd::cuda
