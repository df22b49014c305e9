#include "engine/providers/cpu/packed_rows.h"

#include "engine/graph/op_def.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/gemm_product.h"

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

bool IsBlockedFloats(const dnnl_memory_desc_t& desc) {
  return desc.format_kind == dnnl_blocked && desc.data_type == dnnl_f32 && desc.ndims == 2 &&
         desc.offset0 == 0 && desc.padded_offsets[0] == 0 && desc.padded_offsets[1] == 0 &&
         desc.extra.flags == dnnl_memory_extra_flag_none;
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
  if (!product.ok()) return std::nullopt;
  const auto weights = PackProductWeights(graph, *gemm, context, *product);
  // Its other readers are prepared later; meanwhile the bytes need not stay.
  matrix->recoverable()->Release();
  if (!weights.ok() || weights->packed == nullptr || !IsBlockedFloats(weights->desc.data)) {
    return std::nullopt;
  }
  const dnnl_blocking_desc_t& blocking = weights->desc.data.format_desc.blocking;
  Axis axes[2];  // the product reads it as [width, rows]
  for (int d = 0; d < 2; ++d) axes[d].stride = blocking.strides[d];
  int64_t stride = 1;
  for (int i = blocking.inner_nblks - 1; i >= 0; --i) {
    Axis& axis = axes[blocking.inner_idxs[i]];
    axis.digits.push_back({blocking.inner_blks[i], stride});
    axis.block *= blocking.inner_blks[i];
    stride *= blocking.inner_blks[i];
  }
  PackedRows rows;
  rows.packed_ = weights->packed;
  rows.rows_ = axes[1];
  for (int64_t i = 0; i < matrix->dim(1); ++i) rows.columns_.push_back(axes[0].OffsetOf(i));
  return rows;
}

int64_t PackedRows::Axis::OffsetOf(int64_t index) const {
  int64_t offset = index / block * stride;
  int64_t rest = index % block;
  for (const Digit& digit : digits) {
    offset += rest % digit.size * digit.stride;
    rest /= digit.size;
  }
  return offset;
}

void PackedRows::Copy(int64_t row, float* to) const {
  const float* first = static_cast<const float*>(packed_->data()) + rows_.OffsetOf(row);
  for (const int64_t column : columns_) *to++ = first[column];
}

}  // namespace inferd::cpu
