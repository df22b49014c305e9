#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "engine/graph/graph.h"
#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/simd/panel_product.h"
#include "engine/providers/execution_provider.h"

namespace inferd::cpu {

// The rows of a matrix [rows, width] of floats as a product by its transpose has them packed: an
// embedding that the last product of a language model reads too needs no second copy. Immutable.
class PackedRows {
 public:
  // For input 0 of `node`; nullopt when it is no such constant or no Gemm of the graph packs it.
  static std::optional<PackedRows> Find(const Graph& graph, const Node& node,
                                        const PrepareContext& context);

  // Writes the `width` floats of a row.
  void Copy(int64_t row, float* to) const;

 private:
  PackedRows(const PanelProduct& product, std::shared_ptr<const PackedWeights> packed)
      : product_(product), packed_(std::move(packed)) {}

  PanelProduct product_;
  std::shared_ptr<const PackedWeights> packed_;
};

}  // namespace inferd::cpu
