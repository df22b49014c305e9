#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/plan/weight_store.h"
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
  // Where in memory one coordinate leads: a packed layout adds up what each of them does.
  struct Axis {
    int64_t OffsetOf(int64_t index) const;
    int64_t block = 1;   // elements of it in a block
    int64_t stride = 0;  // from a block to the next
    struct Digit {
      int64_t size;
      int64_t stride;
    };
    std::vector<Digit> digits;  // within a block, the fastest first
  };

  PackedRows() = default;

  std::shared_ptr<const PackedWeights> packed_;
  Axis rows_;
  std::vector<int64_t> columns_;  // offsets of the elements of a row
};

}  // namespace inferd::cpu
