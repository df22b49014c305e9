#include "engine/providers/cpu/gemm_product.h"

#include <cmath>

#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"

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
  const bool matrix = shape.rank() == 2 && shape[0].SameAs(output[0]) && shape[1].SameAs(output[1]);
  return matrix ? Addend::kMatrix : Addend::kOther;
}

}  // namespace

std::optional<MatrixProduct> PlanGemm(const Graph& graph, const Node& node) {
  const float alpha = node.attributes.Float("alpha", 1);
  const float beta = node.attributes.Float("beta", 1);
  const Addend addend = AddendOf(graph, node);
  const auto epilogue = PlanPostOps(graph, node, 1);
  if (!std::isfinite(alpha) || addend == Addend::kOther || !epilogue) return std::nullopt;
  const bool narrow_addend =
      addend != Addend::kNone && InputType(graph, node, 2) != dnnl::memory::data_type::f32;
  if (narrow_addend && addend != Addend::kMatrix) return std::nullopt;
  MatrixProduct product;
  if (addend == Addend::kNone || addend == Addend::kScalar) {
    product.scale = alpha;
    if (addend == Addend::kScalar) {
      AppendLinear(1, beta * *graph.constant(node.inputs[2])->data<float>(), &product.post_ops);
    }
  } else {
    // alpha * x + beta * c = (alpha / beta * x + c) * beta.
    if (!std::isnormal(beta) || !std::isfinite(alpha / beta)) return std::nullopt;
    const auto kind = addend == Addend::kRow ? PostOp::Kind::kPerChannel : PostOp::Kind::kSameShape;
    product.scale = alpha / beta;
    product.post_ops.push_back({kind, algorithm::binary_add, 0, 0, 2, InputType(graph, node, 2)});
    if (beta != 1) AppendLinear(beta, 0, &product.post_ops);
  }
  for (const PostOp& op : *epilogue) {
    if (op.algorithm == algorithm::eltwise_linear) {
      AppendLinear(op.alpha, op.beta, &product.post_ops);
    } else {
      product.post_ops.push_back(op);
    }
  }
  if (!IsSafeChain(product.post_ops)) return std::nullopt;
  TakeBias(&product);
  return product;
}

absl::StatusOr<MatrixProduct> GemmProduct(const Graph& graph, const Node& node) {
  const Shape a = InputShape(graph, node, 0).ToShape();
  const Shape b = InputShape(graph, node, 1).ToShape();
  const Shape c = OutputShape(graph, node).ToShape();
  std::optional<MatrixProduct> product = PlanGemm(graph, node);
  if (!product) return absl::InternalError("Gemm was prepared without being supported");
  product->source_transposed = node.attributes.Int("transA", 0) != 0;
  product->weights_transposed = node.attributes.Int("transB", 0) != 0;
  const int64_t inner = a[product->source_transposed ? 0 : 1];
  if (b[product->weights_transposed ? 1 : 0] != inner) {
    return absl::InternalError("Gemm was prepared with matrices that do not match");
  }
  product->source = {c[0], inner};
  product->weights = {inner, c[1]};
  product->destination = {c[0], c[1]};
  return *std::move(product);
}

}  // namespace inferd::cpu
