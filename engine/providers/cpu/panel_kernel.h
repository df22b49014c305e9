#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/tensor.h"
#include "engine/graph/graph.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/dnnl_product.h"
#include "engine/providers/cpu/simd/panel_product.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// The name of the own kernel among the candidates for a product.
inline constexpr absl::string_view kPanels = "panels";

// Whether the own kernel runs the MatMul, Gemm or pointwise Conv `node`, which is bound and which
// oneDNN would run as `product`: floats times one constant matrix, nothing transposed or scaled but
// the weights' storage.
bool TakesPanels(const Graph& graph, const Node& node, const MatrixProduct& product);

// Requires TakesPanels(). `text` precedes the description.
absl::StatusOr<std::unique_ptr<BoundKernel>> PreparePanels(const Graph& graph, const Node& node,
                                                           const PrepareContext& context,
                                                           const MatrixProduct& product,
                                                           absl::string_view text);

// How that kernel sees `product`, and the constant weights as it reads them.
PanelProduct PanelsOf(const MatrixProduct& product);
absl::StatusOr<std::shared_ptr<const PackedWeights>> PackPanels(const Tensor& weights,
                                                                const MatrixProduct& product,
                                                                WeightStore& store);

}  // namespace inferd::cpu
