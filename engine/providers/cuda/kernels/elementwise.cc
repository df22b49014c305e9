#include <array>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cuda/elementwise_ops.h"
#include "engine/providers/cuda/elementwise_plan.h"
#include "engine/providers/cuda/step_kernel.h"

// Elementwise nodes with their epilogues, each as one launch of its own kernel or the interpreter.
namespace inferd::cuda {
namespace {

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const CudaPrepareContext& prepare) {
  ASSIGN_OR_RETURN(ElementwisePlan plan, ElementwisePlan::OfNode(graph, node));
  plan.Generate(*prepare.generated);
  std::string description = "elementwise";
  for (const EpilogueStep& step : node.epilogue) absl::StrAppend(&description, "+", step.op->name);
  absl::StrAppend(&description, plan.note());
  const auto launch = [plan](const StepContext& context, CudaContext& cuda) {
    plan.Launch(context, cuda);
    return absl::OkStatus();
  };
  return MakeStepKernel(graph, node, std::move(description), launch,
                        {.epilogue_done = node.epilogue.size()});
}

constexpr size_t kOps = std::size(kElementwiseOps);

constexpr std::array<CudaKernelDef, kOps> MakeKernels() {
  std::array<CudaKernelDef, kOps> kernels;
  for (size_t i = 0; i < kOps; ++i) {
    kernels[i] = {kElementwiseOps[i].domain, kElementwiseOps[i].op, ElementwisePlan::SupportsNode,
                  LayoutPreference::kAny, Prepare};
  }
  return kernels;
}

constexpr std::array<CudaKernelDef, kOps> kKernels = MakeKernels();

}  // namespace

absl::Span<const CudaKernelDef> ElementwiseKernels() { return kKernels; }

}  // namespace inferd::cuda
