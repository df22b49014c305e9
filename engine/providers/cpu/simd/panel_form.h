#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/core/rounding.h"
#include "engine/providers/cpu/simd/panel_product.h"

namespace inferd::cpu {

// Where the packed form of a PanelProduct has what, for vectors of `lanes` floats: block after
// block of the depth, in each panel after panel, in each row after row. Panels have three vectors,
// but the last two share four evenly. A value type.
struct PanelForm {
  static constexpr int64_t kPanelVectors = 3;
  // A panel of so many rows of the longest vectors takes a fourteenth of a second cache of 2 MiB.
  static constexpr int64_t kMaxBlockDepth = 768;

  PanelForm(const PanelProduct& product, int64_t lanes)
      : lanes(lanes),
        vectors(DivideUp(product.columns, lanes)),
        unit(product.unit),
        units(product.depth / product.unit),
        blocks(DivideUp(units, std::max<int64_t>(1, kMaxBlockDepth / unit))),
        panels(DivideUp(vectors, kPanelVectors)) {}

  // Counted in vectors; `panel` may be the number of panels.
  int64_t FirstVector(int64_t panel) const {
    if (panel >= panels) return vectors;
    const bool shared = panel > 0 && panel == panels - 1 && vectors % kPanelVectors == 1;
    return panel * kPanelVectors - (shared ? 1 : 0);
  }
  int64_t FirstUnit(int64_t block) const { return units * block / blocks; }
  int64_t FirstDepth(int64_t block) const { return FirstUnit(block) * unit; }
  // In floats from the start.
  int64_t OffsetOf(int64_t block, int64_t panel) const {
    const int64_t first = FirstDepth(block);
    const int64_t rows = FirstDepth(block + 1) - first;
    return (first * vectors + rows * FirstVector(panel)) * lanes;
  }

  int64_t lanes;
  int64_t vectors;
  int64_t unit;
  int64_t units;
  int64_t blocks;
  int64_t panels;
};

}  // namespace inferd::cpu
