#include <cmath>
#include <optional>
#include <utility>

#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"

// Gemm on oneDNN: alpha * A' * B' + beta * C with alpha, beta and C as bias or post-ops.
namespace inferd::cpu {
namespace {

using dnnl::algorithm;

enum class Addend : uint8_t { kNone, kScalar, kRow, kMatrix, kOther };

Addend AddendOf(const Graph& graph, const Node& node) {
  if (!HasInput(node, 2) || node.attributes.Float("beta", 1) == 0) return Addend::kNone;
  const Tensor* constant = graph.constant(node.inputs[2]);
  if (constant != nullptr && constant->num_elements() == 1) return Addend::kScalar;
  const SymbolicShape& shape = InputShape(graph, node, 2);
  const SymbolicShape& output = OutputShape(graph, node);
  if (IsPerChannel(shape, output, 1)) return Addend::kRow;
  const bool matrix =
      shape.rank() == 2 && shape[0].SameAs(output[0]) && shape[1].SameAs(output[1]);
  return matrix ? Addend::kMatrix : Addend::kOther;
}

PostOp Scale(float scale, float shift = 0) {
  return {PostOp::Kind::kEltwise, algorithm::eltwise_linear, scale, shift, -1};
}

bool Supports(const Graph& graph, const Node& node) {
  if (!FloatNode(graph, node, 2, 3) || !WithinSizeLimits(graph, node)) return false;
  if (InputShape(graph, node, 0).rank() != 2 || InputShape(graph, node, 1).rank() != 2 ||
      OutputShape(graph, node).rank() != 2 || AddendOf(graph, node) == Addend::kOther) {
    return false;
  }
  const float beta = node.attributes.Float("beta", 1);
  const bool fine_scales = std::isfinite(node.attributes.Float("alpha", 1)) &&
                           (beta == 0 || std::isnormal(beta));
  return fine_scales && PlanPostOps(graph, node, 1).has_value();
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kRowMajor; }

// alpha, beta and C, as a bias where possible.
void AppendScalesAndAddend(const Graph& graph, const Node& node, MatrixProduct* product) {
  const float alpha = node.attributes.Float("alpha", 1);
  const float beta = node.attributes.Float("beta", 1);
  const Addend addend = AddendOf(graph, node);
  if (addend == Addend::kNone || addend == Addend::kScalar) {
    const float shift =
        addend == Addend::kNone ? 0 : beta * *graph.constant(node.inputs[2])->data<float>();
    if (alpha != 1 || shift != 0) product->post_ops.push_back(Scale(alpha, shift));
    return;
  }
  if (addend == Addend::kRow && alpha == 1 && beta == 1) {
    product->bias = 2;
    return;
  }
  // alpha * x + beta * c = (alpha / beta * x + c) * beta.
  if (alpha != beta) product->post_ops.push_back(Scale(alpha / beta));
  const auto kind =
      addend == Addend::kRow ? PostOp::Kind::kPerChannel : PostOp::Kind::kSameShape;
  product->post_ops.push_back({kind, algorithm::binary_add, 0, 0, 2});
  if (beta != 1) product->post_ops.push_back(Scale(beta));
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  const Shape a = InputShape(graph, node, 0).ToShape();
  const Shape b = InputShape(graph, node, 1).ToShape();
  const Shape c = OutputShape(graph, node).ToShape();
  const auto epilogue = PlanPostOps(graph, node, 1);
  if (!epilogue) return absl::InternalError("Gemm was prepared without being supported");
  MatrixProduct product;
  product.source_transposed = node.attributes.Int("transA", 0) != 0;
  product.weights_transposed = node.attributes.Int("transB", 0) != 0;
  const int64_t inner = a[product.source_transposed ? 0 : 1];
  product.source = {c[0], inner};
  product.weights = {inner, c[1]};
  product.destination = {c[0], c[1]};
  if (b[product.weights_transposed ? 1 : 0] != inner) {
    return absl::InternalError("Gemm was prepared with matrices that do not match");
  }
  AppendScalesAndAddend(graph, node, &product);
  product.post_ops.insert(product.post_ops.end(), epilogue->begin(), epilogue->end());
  TakeBias(&product);
  return PrepareProduct(graph, node, context, product);
}

}  // namespace

absl::Span<const CpuKernelDef> GemmKernels() {
  static constexpr CpuKernelDef kKernels[] = {{"", "Gemm", Supports, Layouts, Prepare}};
  return kKernels;
}

}  // namespace inferd::cpu
