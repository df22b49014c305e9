#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/providers/cuda/cuda_kernel.h"

namespace inferd::cuda {

// What a step gives the stream before its epilogue.
using StepFunction = std::function<absl::Status(const StepContext& context, CudaContext& cuda)>;

// A kernel of a function and the node's epilogue without its first `epilogue_done` steps, which the
// function does itself. Both must have been found supported.
struct StepOptions {
  size_t epilogue_done = 0;
  int64_t scratch_bytes = 0;
  uint64_t held_inputs = 0;  // bit i: the function holds input i
};
absl::StatusOr<std::unique_ptr<BoundKernel>> MakeStepKernel(const Graph& graph, const Node& node,
                                                            std::string description,
                                                            StepFunction function,
                                                            const StepOptions& options = {});

// What a description says of an algorithm by its rank: nothing of the first.
std::string RankText(int rank);

}  // namespace inferd::cuda
