#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/plan/weight_store.h"
#include "engine/providers/cpu/simd/elementwise_chain.h"
#include "engine/providers/cpu/simd/panel_form.h"
#include "engine/providers/cpu/simd/panel_product.h"
#include "engine/providers/cpu/simd/parallel.h"
#include "engine/providers/cpu/simd/sum_epilogue.h"

// How a product by panels is cut: shares for threads, blocks of rows, groups of panels. In a block
// of the depth, the part of the input that a block of rows has and the part of the output that a
// group has stay in a core's second cache.
namespace inferd::cpu {

struct PanelPart {
  int64_t first_row;
  int64_t last_row;
  int64_t first_panel;
  int64_t last_panel;
};

// Rows that a tile of three vectors has, of the longest ones.
inline constexpr int64_t kTileRows = 8;

// The most rows of a block, of full tiles.
inline int64_t MaxBlockRows(const PanelProduct& product) {
  constexpr int64_t kBlockInputFloats = 160 << 10;
  const int64_t depth = std::min(product.depth, PanelForm::kMaxBlockDepth);
  return std::clamp<int64_t>(kBlockInputFloats / depth, 64, 256) / kTileRows * kTileRows;
}

// Calls fn(thread's number, part) on up to `threads` threads. They share the panels of a matrix
// that does not fit their caches, else the rows.
template <typename Fn>
void SharePanels(const PanelProduct& product, int64_t rows, int threads, const Fn& fn) {
  constexpr int64_t kMinPerThread = 1 << 19;  // multiplications
  constexpr int64_t kCachedFloats = 256 << 10;
  constexpr int64_t kMinThreadRows = 16;
  // Reading the matrix takes as long as multiplying so many rows by it.
  constexpr int64_t kRowsWhileRead = 16;
  const int64_t panels = product.panels();
  const int64_t row_products = product.depth * product.columns;
  if (rows < kMinThreadRows * threads || (row_products > kCachedFloats && panels >= 4 * threads)) {
    const int64_t work = std::max(rows, kRowsWhileRead) * row_products;
    ParallelParts(threads, panels, kMinPerThread * panels / (work + 1) + 1, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    fn(part, PanelPart{0, rows, begin, end});
                  });
  } else {
    ParallelParts(threads, rows, kMinPerThread / row_products + 1, 1,
                  [&](int part, int64_t begin, int64_t end) {
                    fn(part, PanelPart{begin, end, 0, panels});
                  });
  }
}

// Calls fn(part) for blocks of its rows of about equal height, of full tiles but for the last.
template <typename Fn>
void ForEachBlockOfRows(const PanelProduct& product, const PanelPart& part, const Fn& fn) {
  const int64_t tiles = DivideUp(part.last_row - part.first_row, kTileRows);
  const int64_t blocks = DivideUp(tiles * kTileRows, MaxBlockRows(product));
  PanelPart block = part;
  for (int64_t b = 0; b < blocks; ++b) {
    block.last_row = std::min(part.last_row, part.first_row + tiles * (b + 1) / blocks * kTileRows);
    fn(block);
    block.first_row = block.last_row;
  }
}

// Calls fn(block) for groups of the panels of a block of rows.
template <typename Fn>
void ForEachGroup(const PanelPart& part, const Fn& fn) {
  constexpr int64_t kGroupPanels = 10;
  const int64_t panels = part.last_panel - part.first_panel;
  const int64_t groups = DivideUp(panels, kGroupPanels);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t end = part.first_panel + panels * (g + 1) / groups;
    fn(PanelBlock{.first_row = part.first_row,
                  .rows = part.last_row - part.first_row,
                  .first_panel = part.first_panel + panels * g / groups,
                  .last_panel = end,
                  .next_panel = g + 1 < groups ? end : part.first_panel});
  }
}

// Applies what is left of an epilogue to a finished block.
inline void FinishPanels(const StepContext& context, const ElementwiseChain& rest,
                         const PanelProduct& product, const PanelBlock& block) {
  if (rest.empty()) return;
  const int64_t first = product.FirstColumn(block.first_panel);
  const int64_t last = product.FirstColumn(block.last_panel);
  const int64_t end_row = block.first_row + block.rows;
  if (last - first == product.columns) {
    rest.Apply(context, block.first_row * last, end_row * last);
    return;
  }
  for (int64_t row = block.first_row; row < end_row; ++row) {
    rest.Apply(context, row * product.columns + first, row * product.columns + last);
  }
}

// What a node's product reads and writes. `x` is null where rows are given by pointers, `bias` a
// node input or -1.
inline PanelOperands PanelOperandsOf(const StepContext& context, const PanelProduct& product,
                                     const float* x, const PackedWeights& weights, int bias,
                                     const SumEpilogue& epilogue) {
  const auto floats = [&](int i) { return i < 0 ? nullptr : context.inputs[i]->data<float>(); };
  return {.x = x,
          .x_step = context.input_step > 0 ? context.input_step : product.depth,
          .packed = static_cast<const float*>(weights.data()),
          .bias = floats(bias),
          .add = floats(epilogue.add),
          .low = epilogue.bounds.low,
          .high = epilogue.bounds.high,
          .y = context.outputs[0]->mutable_data<float>(),
          .y_step = context.output_step > 0 ? context.output_step : product.columns};
}

// The whole product with its epilogue. point(thread's number, part) gives the pointers of a block
// of rows, or null.
template <typename Point>
void RunPanels(const StepContext& context, const PanelProduct& product,
               const PanelOperands& operands, const ElementwiseChain& rest, int64_t rows,
               int threads, const Point& point) {
  SharePanels(product, rows, threads, [&](int number, const PanelPart& share) {
    ForEachBlockOfRows(product, share, [&](const PanelPart& part) {
      const float* const* pointers = point(number, part);
      ForEachGroup(part, [&](PanelBlock block) {
        block.pointers = pointers;
        MultiplyPanels(product, operands, block);
        FinishPanels(context, rest, product, block);
      });
    });
  });
}

}  // namespace inferd::cpu
