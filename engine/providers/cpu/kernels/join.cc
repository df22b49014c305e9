#include <vector>

#include "engine/ops/infer_context.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/copy_kernel.h"

// Concat and Split: one block copy for each part.
namespace inferd::cpu {
namespace {

bool SupportsConcat(const Graph& graph, const Node& node) {
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    if (!IsPlainTensor(graph, node, i)) return false;
  }
  return ElementwiseChain::SupportsEpilogue(graph, node);
}

// Every part must be wanted: the sizes of unwanted ones stand nowhere in the bound graph.
bool SupportsSplit(const Graph& graph, const Node& node) {
  for (const ValueId id : node.outputs) {
    if (id == kNoValue) return false;
  }
  return IsPlainTensor(graph, node, 0) && node.epilogue.empty();
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareConcat(const Graph& graph, const Node& node,
                                                           const PrepareContext&) {
  const Value& output = OutputValue(graph, node);
  const Shape::Dims target = BoundStrides(output);
  const int rank = static_cast<int>(target.size());
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), rank));
  std::vector<CopyPlan> plans;
  int64_t offset = 0;
  for (int i = 0; i < node.num_op_inputs(); ++i) {
    const Value& input = InputValue(graph, node, i);
    const Shape shape = BoundShape(input);
    plans.emplace_back(shape, BoundStrides(input), 0, target, offset,
                       ElementBytes(output.type.dtype));
    offset += shape[axis] * target[axis];
  }
  std::string description = plans[0].description();
  return MakeStepKernel(
      graph, node, std::move(description), [plans = std::move(plans)](const StepContext& step) {
        for (size_t i = 0; i < plans.size(); ++i) {
          plans[i].Run(step.inputs[i]->raw(), step.outputs[0]->mutable_raw(), step.threads);
        }
        return absl::OkStatus();
      });
}

absl::StatusOr<std::unique_ptr<BoundKernel>> PrepareSplit(const Graph& graph, const Node& node,
                                                          const PrepareContext&) {
  const Value& input = InputValue(graph, node, 0);
  const Shape::Dims source = BoundStrides(input);
  const int rank = static_cast<int>(source.size());
  ASSIGN_OR_RETURN(const int axis, NormalizeAxis(node.attributes.Int("axis", 0), rank));
  std::vector<CopyPlan> plans;
  int64_t offset = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Value& output = OutputValue(graph, node, static_cast<int>(i));
    const Shape shape = BoundShape(output);
    plans.emplace_back(shape, source, offset, BoundStrides(output), 0,
                       ElementBytes(input.type.dtype));
    offset += shape[axis] * source[axis];
  }
  std::string description = plans[0].description();
  return MakeStepKernel(
      graph, node, std::move(description), [plans = std::move(plans)](const StepContext& step) {
        for (size_t i = 0; i < plans.size(); ++i) {
          plans[i].Run(step.inputs[0]->raw(), step.outputs[i]->mutable_raw(), step.threads);
        }
        return absl::OkStatus();
      });
}

constexpr CpuKernelDef kKernels[] = {
    {"", "Concat", SupportsConcat, AnyLayout, PrepareConcat},
    {"", "Split", SupportsSplit, AnyLayout, PrepareSplit},
};

}  // namespace

absl::Span<const CpuKernelDef> JoinKernels() { return kKernels; }

}  // namespace inferd::cpu
