#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/core/status_macros.h"
#include "engine/graph/op_def.h"
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

constexpr CudaKernelDef Def(absl::string_view op, absl::string_view domain = "") {
  return {domain, op, ElementwisePlan::SupportsNode, LayoutPreference::kAny, Prepare};
}

constexpr CudaKernelDef kKernels[] = {
    // One operand.
    Def("Abs"),
    Def("Neg"),
    Def("Exp"),
    Def("Log"),
    Def("Sqrt"),
    Def("Reciprocal"),
    Def("Sigmoid"),
    Def("Tanh"),
    Def("Erf"),
    Def("Relu"),
    Def("LeakyRelu"),
    Def("Elu"),
    Def("Selu"),
    Def("HardSigmoid"),
    Def("HardSwish"),
    Def("Swish"),
    Def("Gelu"),
    Def("Mish"),
    Def("Softplus"),
    Def("Softsign"),
    Def("ThresholdedRelu"),
    Def("Floor"),
    Def("Ceil"),
    Def("Round"),
    Def("Sign"),
    Def("Sin"),
    Def("Cos"),
    Def("Not"),
    Def("IsNaN"),
    Def("Clip"),
    Def("Cast"),
    Def("Gelu", "com.microsoft"),
    Def("QuickGelu", "com.microsoft"),
    // Two and more.
    Def("Add"),
    Def("Sub"),
    Def("Mul"),
    Def("Div"),
    Def("Pow"),
    Def("PRelu"),
    Def("Equal"),
    Def("Less"),
    Def("LessOrEqual"),
    Def("Greater"),
    Def("GreaterOrEqual"),
    Def("And"),
    Def("Or"),
    Def("Xor"),
    Def("Sum"),
    Def("Min"),
    Def("Max"),
    Def("Where"),
    Def("BiasGelu", "com.microsoft"),
    Def("FastGelu", "com.microsoft"),
};

}  // namespace

absl::Span<const CudaKernelDef> ElementwiseKernels() { return kKernels; }

}  // namespace inferd::cuda
