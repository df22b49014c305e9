#include "engine/providers/cpu/simd/bfloat16_product.h"

#include <algorithm>

#include "engine/core/rounding.h"
#include "engine/providers/cpu/simd/bfloat16_rows.h"

namespace inferd::cpu {
namespace {

// Of the depth: a piece of b stays in a core's first cache beside the sums while all rows pass.
constexpr int64_t kMostStretchSteps = 8;
constexpr int64_t kMostWaitingGroups = 2;
constexpr int64_t kPanelElements = 2 * kTileElements;  // of one step of depth
constexpr int64_t kLineElements = 64 / int64_t{sizeof(Bfloat16)};

// All rows of the block times one piece of b; `sums` is row 0 of its panel.
void MultiplyPiece(const Bfloat16Block& block, TileOperands operands, int64_t depth_steps, bool add,
                   float* sums) {
  const int64_t groups = DivideUp(block.rows, kTileProductRows);
  const int64_t lines = operands.depth_steps * kPanelElements / kLineElements;
  const int64_t lines_of_group = DivideUp(lines, groups);
  // Few rows wait for what is fetched while they are multiplied; many let the next piece come.
  const bool soon = groups <= kMostWaitingGroups;
  if (soon) {
    operands.fetch = {operands.left + kSoonSteps * kPanelElements, kPanelElements / kLineElements,
                      true};
  } else {
    operands.fetch.lines = DivideUp(lines_of_group, operands.depth_steps);
  }
  for (int64_t i = 0; i < groups; ++i) {
    const int64_t rows = std::min(kTileProductRows, block.rows - i * kTileProductRows);
    MultiplyTileStep(operands, rows, add, sums, block.sums_step);
    operands.a += depth_steps * kTileProductRows * kTileStep;
    operands.fetch.next += lines_of_group * kLineElements;
    if (soon) operands.fetch.lines = 0;
    sums += kTileProductRows * block.sums_step;
  }
}

}  // namespace

void Bfloat16Product::Pack(const float* b, bool transposed, Bfloat16* packed) const {
  Bfloat16 square[kTileStep * kTileStep];
  const int64_t step = transposed ? depth : columns;
  for (int64_t c = 0; c < columns; c += kTileStep) {
    for (int64_t k = 0; k < depth; k += kTileStep, packed += kPanelElements) {
      const float* from = transposed ? b + c * step + k : b + k * step + c;
      const int64_t deep = std::min(kTileStep, depth - k);
      const int64_t wide = std::min(kTileStep, columns - c);
      const int64_t count = transposed ? wide : deep;
      const int64_t length = transposed ? deep : wide;
      if (deep < kTileStep || wide < kTileStep)
        std::fill_n(square, kTileStep * kTileStep, Bfloat16());
      for (int64_t i = 0; i < count; ++i) {
        RoundToBfloat16(from + i * step, square + i * kTileStep, length);
      }
      if (transposed) {
        PackTransposedTiles(square, kTileStep, kTileStep, kTileStep, nullptr, packed);
      } else {
        PackTiles(square, kTileStep, kTileStep, kTileStep, packed);
      }
    }
  }
}

// Groups of rows, step by step of the depth; zeros below the last row.
void Bfloat16Product::PackRows(const Bfloat16* a, int64_t rows, Bfloat16* to) const {
  for (int64_t group = 0; group < rows; group += kTileProductRows) {
    const int64_t count = std::min(kTileProductRows, rows - group);
    for (int64_t k = 0; k < depth; k += kTileStep) {
      CopyToSteps(a + group * depth + k, depth, count, std::min(kTileStep, depth - k), to);
      std::fill(to + count * kTileStep, to + kTileProductRows * kTileStep, Bfloat16());
      to += kTileProductRows * kTileStep;
    }
  }
}

void MultiplyBlock(const Bfloat16Product& product, const Bfloat16Block& block) {
  const int64_t steps = product.depth_steps();
  // Sums of few rows need not go to memory and back to keep b in the first cache.
  const bool few = block.rows <= kMostWaitingGroups * kTileProductRows;
  const int64_t stretches = few ? 1 : DivideUp(steps, kMostStretchSteps);
  const auto piece_at = [&](int64_t panel, int64_t step) {
    return block.packed + (panel * steps + step) * kPanelElements;
  };
  for (int64_t panel = block.first_panel; panel < block.last_panel; ++panel) {
    const int64_t column = panel * kTileStep;
    float* sums = block.sums + (panel - block.first_panel) * kTileStep;
    if (block.bias != nullptr) {
      const int64_t count = std::min(kTileStep, product.columns - column);
      for (int64_t i = 0; i < block.rows; ++i) {
        std::copy_n(block.bias + column, count, sums + i * block.sums_step);
      }
    }
    for (int64_t s = 0; s < stretches; ++s) {
      const int64_t first = steps * s / stretches;
      const int64_t last = steps * (s + 1) / stretches;
      TileOperands operands{.a = block.packed_rows + first * kTileProductRows * kTileStep,
                            .a_row = kTileStep,
                            .a_step = kTileProductRows * kTileStep,
                            .left = piece_at(panel, first),
                            .right = piece_at(panel, first) + kTileElements,
                            .b_step = kPanelElements,
                            .depth_steps = last - first};
      const bool end = panel + 1 == block.last_panel && last == steps;
      operands.fetch.next = end ? piece_at(block.next_panel, 0) : piece_at(panel, last);
      MultiplyPiece(block, operands, steps, block.bias != nullptr || s > 0, sums);
    }
  }
}

}  // namespace inferd::cpu
