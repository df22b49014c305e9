#include <string>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/gemm_product.h"
#include "engine/providers/cpu/node_checks.h"

// Gemm on oneDNN: alpha * A' * B' + beta * C with alpha, beta and C as scale, bias or post-ops.
namespace inferd::cpu {
namespace {

bool Supports(const Graph& graph, const Node& node) {
  return FloatNode(graph, node, 2, 3) && WithinSizeLimits(graph, node) &&
         InputShape(graph, node, 0).rank() == 2 && InputShape(graph, node, 1).rank() == 2 &&
         OutputShape(graph, node).rank() == 2 && PlanGemm(graph, node).has_value();
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kRowMajor; }

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const MatrixProduct product, GemmProduct(graph, node));
  return PrepareProduct(graph, node, context, product);
}

std::vector<std::string> Candidates(const Graph& graph, const Node& node) {
  const auto product = GemmProduct(graph, node);
  return product.ok() ? ProductCandidates(graph, node, *product) : std::vector<std::string>();
}

}  // namespace

absl::Span<const CpuKernelDef> GemmKernels() {
  static constexpr CpuKernelDef kKernels[] = {
      {"", "Gemm", Supports, Layouts, Prepare, 10, Candidates}};
  return kKernels;
}

}  // namespace inferd::cpu
