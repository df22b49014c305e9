#include "engine/providers/cpu/packed_rows.h"

#include "engine/graph/op_def.h"
#include "engine/providers/cpu/gemm_product.h"
#include "engine/providers/cpu/panel_kernel.h"

namespace inferd::cpu {
namespace {

// A Gemm by the transpose of that matrix, else null.
const Node* FindProduct(const Graph& graph, const Tensor& matrix) {
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    const Node& node = graph.node(id);
    if (node.removed || !node.op->domain.empty() || node.op->name != "Gemm") continue;
    const Tensor* weights = graph.constant(node.inputs[1]);
    if (weights != nullptr && weights->recoverable() == matrix.recoverable() &&
        weights->shape() == matrix.shape() && node.attributes.Int("transB", 0) != 0) {
      return &node;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<PackedRows> PackedRows::Find(const Graph& graph, const Node& node,
                                           const PrepareContext& context) {
  const Tensor* matrix = graph.constant(node.inputs[0]);
  if (context.weights == nullptr || matrix == nullptr || matrix->recoverable() == nullptr ||
      matrix->dtype() != DType::kFloat32 || matrix->rank() != 2) {
    return std::nullopt;
  }
  const Node* gemm = FindProduct(graph, *matrix);
  if (gemm == nullptr) return std::nullopt;
  // What goes wrong here comes up again where the product itself is prepared.
  const auto product = GemmProduct(graph, *gemm);
  const Tensor& weights = *graph.constant(gemm->inputs[1]);
  if (!product.ok() || !TakesPanels(graph, *gemm, *product)) return std::nullopt;
  auto packed = PackPanels(weights, *product, *context.weights);
  // Its other readers are prepared later; meanwhile the bytes need not stay.
  matrix->recoverable()->Release();
  if (!packed.ok()) return std::nullopt;
  return PackedRows(PanelsOf(*product), *std::move(packed));
}

void PackedRows::Copy(int64_t row, float* to) const {
  product_.Unpack(static_cast<const float*>(packed_->data()), row, to);
}

}  // namespace inferd::cpu
