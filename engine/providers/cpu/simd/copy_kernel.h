#pragma once

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/providers/cpu/simd/copy_plan.h"
#include "engine/providers/cpu/simd/step_kernel.h"

namespace inferd::cpu {

// Whether input i is a tensor of elements that can be copied as bytes.
inline bool IsPlainTensor(const Graph& graph, const Node& node, int i) {
  const DType dtype = InputDType(graph, node, i);
  return dtype != DType::kString && ElementBytes(dtype) > 0;
}

// The kernel that copies input 0 to output 0 by `plan`.
inline absl::StatusOr<std::unique_ptr<BoundKernel>> MakeCopyKernel(const Graph& graph,
                                                                   const Node& node,
                                                                   CopyPlan plan) {
  std::string description = plan.description();
  return MakeStepKernel(
      graph, node, std::move(description), [plan = std::move(plan)](const StepContext& step) {
        plan.Run(step.inputs[0]->raw(), step.outputs[0]->mutable_raw(), step.threads);
        return absl::OkStatus();
      });
}

}  // namespace inferd::cpu
