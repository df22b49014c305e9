#include "engine/providers/cuda/step_kernel.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
#include "engine/providers/cuda/elementwise_plan.h"

namespace inferd::cuda {
namespace {

class StepKernel : public CudaKernel {
 public:
  StepKernel(std::string description, StepFunction function, ElementwisePlan epilogue,
             const StepOptions& options)
      : description_(std::move(description)),
        function_(std::move(function)),
        epilogue_(std::move(epilogue)),
        options_(options) {}

  std::string description() const override { return absl::StrCat(description_, epilogue_.note()); }
  void Generate(GeneratedKernels& kernels) override { epilogue_.Generate(kernels); }
  int64_t scratch_bytes() const override { return options_.scratch_bytes; }
  bool holds_input(int i) const override { return i < 64 && (options_.held_inputs >> i & 1) != 0; }

 protected:
  absl::Status Launch(const StepContext& context, CudaContext& cuda) const override {
    RETURN_IF_ERROR(function_(context, cuda));
    epilogue_.Launch(context, cuda);
    return absl::OkStatus();
  }

 private:
  const std::string description_;
  const StepFunction function_;
  ElementwisePlan epilogue_;
  const StepOptions options_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BoundKernel>> MakeStepKernel(const Graph& graph, const Node& node,
                                                            std::string description,
                                                            StepFunction function,
                                                            const StepOptions& options) {
  ASSIGN_OR_RETURN(ElementwisePlan epilogue,
                   ElementwisePlan::Epilogue(graph, node, options.epilogue_done));
  if (!epilogue.empty()) absl::StrAppend(&description, ", then");
  for (size_t s = options.epilogue_done; s < node.epilogue.size(); ++s) {
    absl::StrAppend(&description, " ", node.epilogue[s].op->name);
  }
  return std::make_unique<StepKernel>(std::move(description), std::move(function),
                                      std::move(epilogue), options);
}

std::string RankText(int rank) { return rank == 0 ? "" : absl::StrCat(" algorithm ", rank); }

}  // namespace inferd::cuda
