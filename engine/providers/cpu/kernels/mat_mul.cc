#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/providers/cpu/cpu_kernel.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/dnnl_types.h"
#include "engine/providers/cpu/node_checks.h"

// MatMul on oneDNN. A product by one matrix is flattened to two dimensions; batches keep theirs.
namespace inferd::cpu {
namespace {

using dims = dnnl::memory::dims;

constexpr int kMaxRank = 6;

bool Supports(const Graph& graph, const Node& node) {
  if (!FloatNode(graph, node, 2, 2) || !WithinSizeLimits(graph, node)) return false;
  for (int i = 0; i < 2; ++i) {
    const SymbolicShape& shape = InputShape(graph, node, i);
    if (!shape.has_rank() || shape.rank() < 2 || shape.rank() > kMaxRank) return false;
  }
  const SymbolicShape& output = OutputShape(graph, node);
  return output.has_rank() && PlanPostOps(graph, node, output.rank() - 1).has_value();
}

LayoutPreference Layouts(const Graph&, const Node&) { return LayoutPreference::kRowMajor; }

bool HasBatchRow(const std::vector<PostOp>& ops) {
  return std::any_of(ops.begin(), ops.end(),
                     [](const PostOp& op) { return op.kind == PostOp::Kind::kBatchRow; });
}

// `shape` as two dimensions: all but the last together, and the last.
dims Flattened(const Shape& shape) {
  const int last = shape.rank() - 1;
  return {shape.Product(0, last), shape[last]};
}

dims Padded(const Shape& shape, int rank) {
  dims padded = ToDims(shape);
  padded.insert(padded.begin(), rank - shape.rank(), 1);
  return padded;
}

absl::StatusOr<MatrixProduct> Describe(const Graph& graph, const Node& node) {
  const Shape a = InputShape(graph, node, 0).ToShape();
  const Shape b = InputShape(graph, node, 1).ToShape();
  const Shape c = OutputShape(graph, node).ToShape();
  auto post_ops = PlanPostOps(graph, node, c.rank() - 1);
  if (!post_ops) return absl::InternalError("MatMul was prepared without being supported");
  MatrixProduct product;
  product.post_ops = *std::move(post_ops);
  const bool one_matrix = b.Product(0, b.rank() - 2) == 1 && a.rank() >= b.rank();
  if (one_matrix && !HasBatchRow(product.post_ops)) {
    product.source = Flattened(a);
    product.weights = {b[b.rank() - 2], b[b.rank() - 1]};
    product.destination = Flattened(c);
  } else {
    product.source = Padded(a, c.rank());
    product.weights = Padded(b, c.rank());
    product.destination = ToDims(c);
  }
  TakeBias(&product);
  return product;
}

absl::StatusOr<std::unique_ptr<BoundKernel>> Prepare(const Graph& graph, const Node& node,
                                                     const PrepareContext& context) {
  ASSIGN_OR_RETURN(const MatrixProduct product, Describe(graph, node));
  return PrepareProduct(graph, node, context, product);
}

std::vector<std::string> Candidates(const Graph& graph, const Node& node) {
  const auto product = Describe(graph, node);
  return product.ok() ? ProductCandidates(graph, node, *product) : std::vector<std::string>();
}

}  // namespace

absl::Span<const CpuKernelDef> MatMulKernels() {
  static constexpr CpuKernelDef kKernels[] = {
      {"", "MatMul", Supports, Layouts, Prepare, 10, Candidates}};
  return kKernels;
}

}  // namespace inferd::cpu
