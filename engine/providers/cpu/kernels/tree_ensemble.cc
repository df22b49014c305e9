#include <utility>

#include "engine/ops/op_def.h"
#include "engine/ops/tree_model.h"
#include "engine/providers/cpu/compact_trees.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/step_kernel.h"

// TreeEnsemble, TreeEnsembleClassifier and TreeEnsembleRegressor with the trees built when the plan
// is, which costs far more than evaluating them, and walked in lanes where CompactTrees holds them.
namespace inferd::cpu {
namespace {

template <typename Model>
class TreeKernel : public BoundKernel {
 public:
  TreeKernel(Attributes attributes, Model model)
      : attributes_(std::move(attributes)), model_(std::move(model)) {}

  absl::Status Run(const StepContext& step) const override {
    KernelContext context(attributes_, step.inputs, step.outputs, true, Tensor::kDefaultLimitBytes);
    return model_.Run(context);
  }
  std::string description() const override { return "trees"; }

 private:
  Attributes attributes_;
  Model model_;
};

bool Supports(const Graph&, const Node& node) { return node.epilogue.empty(); }

template <typename Model>
absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph&, const Node& node,
                                                     const PrepareContext&) {
  ASSIGN_OR_RETURN(Model model, Model::FromAttributes(node.attributes));
  model.ensemble().UseEvaluator(CompactTrees::Make(model.ensemble()));
  return std::make_unique<TreeKernel<Model>>(node.attributes, std::move(model));
}

constexpr CpuKernelDef kKernels[] = {
    {"ai.onnx.ml", "TreeEnsembleClassifier", Supports, RowMajorOnly, Prepare<TreeClassifier>},
    {"ai.onnx.ml", "TreeEnsembleRegressor", Supports, RowMajorOnly, Prepare<TreeRegressor>},
    {"ai.onnx.ml", "TreeEnsemble", Supports, RowMajorOnly, Prepare<TreeScorer>},
};

}  // namespace

absl::Span<const CpuKernelDef> TreeEnsembleKernels() { return kKernels; }

}  // namespace inferd::cpu
