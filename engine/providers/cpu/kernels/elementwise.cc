#include "engine/core/status_macros.h"
#include "engine/ops/op_def.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"

namespace inferd::cpu {
namespace {

class ElementwiseKernel : public BoundKernel {
 public:
  ElementwiseKernel(ElementwiseChain chain, std::string description)
      : chain_(std::move(chain)), description_(std::move(description)) {}

  absl::Status Run(const StepContext& context) const override {
    chain_.ApplyAll(context);
    return absl::OkStatus();
  }
  std::string description() const override { return description_; }

 private:
  ElementwiseChain chain_;
  std::string description_;
};

LayoutPreference AnyLayout(const Graph&, const Node&) { return LayoutPreference::kAny; }

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext&) {
  ASSIGN_OR_RETURN(ElementwiseChain chain, ElementwiseChain::OfNode(graph, node));
  std::string description = "simd:elementwise";
  for (const EpilogueStep& step : node.epilogue) {
    absl::StrAppend(&description, "+", step.op->name);
  }
  return std::make_unique<ElementwiseKernel>(std::move(chain), std::move(description));
}

constexpr CpuKernelDef Def(absl::string_view op, absl::string_view domain = "") {
  return {domain, op, ElementwiseChain::SupportsNode, AnyLayout, Prepare};
}

constexpr CpuKernelDef kKernels[] = {
    // One operand.
    Def("Relu"),
    Def("LeakyRelu"),
    Def("Clip"),
    Def("Sigmoid"),
    Def("Tanh"),
    Def("Exp"),
    Def("Log"),
    Def("Sqrt"),
    Def("Erf"),
    Def("Gelu"),
    Def("HardSwish"),
    Def("HardSigmoid"),
    Def("Swish"),
    Def("Mish"),
    Def("Softplus"),
    Def("Softsign"),
    Def("Elu"),
    Def("Selu"),
    Def("ThresholdedRelu"),
    Def("Abs"),
    Def("Neg"),
    Def("Reciprocal"),
    Def("Floor"),
    Def("Ceil"),
    Def("Round"),
    Def("Sign"),
    Def("Not"),
    Def("Cast"),
    Def("CastLike"),
    Def("Gelu", "com.microsoft"),
    Def("QuickGelu", "com.microsoft"),
    // Two and three.
    Def("Add"),
    Def("Sub"),
    Def("Mul"),
    Def("Div"),
    Def("Pow"),
    Def("Min"),
    Def("Max"),
    Def("PRelu"),
    Def("Equal"),
    Def("Less"),
    Def("LessOrEqual"),
    Def("Greater"),
    Def("GreaterOrEqual"),
    Def("And"),
    Def("Or"),
    Def("Xor"),
    Def("Where"),
    Def("BiasGelu", "com.microsoft"),
    Def("FastGelu", "com.microsoft"),
};

}  // namespace

absl::Span<const CpuKernelDef> ElementwiseKernels() { return kKernels; }

}  // namespace inferd::cpu
