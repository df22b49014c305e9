#include "engine/providers/cpu/simd/bfloat16_product.h"

#include <algorithm>

#include "engine/providers/cpu/simd/bfloat16_rows.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"

namespace inferd::cpu {
namespace {

// Of the depth: long, so that the sums in y are seldom read again, while a block's rows and a panel
// of b still stay in a core's second cache.
constexpr int64_t kMostStretch = 1536;
constexpr int64_t kPanelElements = 2 * kTileElements;  // a step of depth by one of columns

int64_t Stretch(int64_t depth) {
  const int64_t stretches = std::max<int64_t>(1, (depth + kMostStretch - 1) / kMostStretch);
  const int64_t steps = depth / kTileStep;
  return (steps + stretches - 1) / stretches * kTileStep;
}

// Groups of rows, step by step of the depth; zeros below the last row.
void PackRows(const Bfloat16* a, int64_t a_row, int64_t rows, int64_t depth, Bfloat16* to) {
  for (int64_t group = 0; group < rows; group += kTileProductRows) {
    const int64_t count = std::min(kTileProductRows, rows - group);
    for (int64_t k = 0; k < depth; k += kTileStep) {
      CopyToSteps(a + group * a_row + k, a_row, count, kTileStep, to);
      std::fill(to + count * kTileStep, to + kTileProductRows * kTileStep, Bfloat16());
      to += kTileProductRows * kTileStep;
    }
  }
}

void CopyRows(const float* from, int64_t from_step, int64_t rows, int64_t columns, float* to,
              int64_t to_step) {
  for (int64_t i = 0; i < rows; ++i) std::copy_n(from + i * from_step, columns, to + i * to_step);
}

}  // namespace

int64_t Bfloat16Product::scratch_bytes() const {
  return kBlockRows * Stretch(depth) * static_cast<int64_t>(sizeof(Bfloat16)) +
         kTileProductRows * kTileStep * static_cast<int64_t>(sizeof(float));
}

void Bfloat16Product::Pack(const float* b, bool transposed, Bfloat16* packed) const {
  Bfloat16 square[kTileStep * kTileStep];
  const int64_t step = transposed ? depth : columns;
  for (int64_t c = 0; c < columns; c += kTileStep) {
    for (int64_t k = 0; k < depth; k += kTileStep, packed += kPanelElements) {
      const float* from = transposed ? b + c * step + k : b + k * step + c;
      for (int64_t i = 0; i < kTileStep; ++i) {
        RoundToBfloat16(from + i * step, square + i * kTileStep, kTileStep);
      }
      if (transposed) {
        PackTransposedTiles(square, kTileStep, kTileStep, kTileStep, nullptr, packed);
      } else {
        PackTiles(square, kTileStep, kTileStep, kTileStep, packed);
      }
    }
  }
}

void Bfloat16Product::Multiply(const Bfloat16* a, int64_t rows, const Bfloat16* packed,
                               const float* bias, void* scratch, float* y) const {
  const int64_t stretch = Stretch(depth);
  auto* packed_rows = static_cast<Bfloat16*>(scratch);
  // Where a last group of fewer rows is computed.
  auto* partial = reinterpret_cast<float*>(packed_rows + kBlockRows * stretch);
  for (int64_t i = 0; bias != nullptr && i < rows; ++i) std::copy_n(bias, columns, y + i * columns);
  for (int64_t k = 0; k < depth; k += stretch) {
    const int64_t deep = std::min(stretch, depth - k);
    const bool add = bias != nullptr || k > 0;
    PackRows(a + k, depth, rows, deep, packed_rows);
    TileOperands operands{.a_row = kTileStep,
                          .a_step = kTileProductRows * kTileStep,
                          .b_step = kPanelElements,
                          .depth_steps = deep / kTileStep};
    for (int64_t c = 0; c < columns; c += kTileStep) {
      operands.left = packed + c * depth + k * kTileStep;
      operands.right = operands.left + kTileElements;
      for (int64_t group = 0; group < rows; group += kTileProductRows) {
        operands.a = packed_rows + group * deep;
        float* to = y + group * columns + c;
        const int64_t count = rows - group;
        if (count >= kTileProductRows) {
          MultiplyTileStep(operands, kTileProductRows, add, to, columns);
          continue;
        }
        if (add) CopyRows(to, columns, count, kTileStep, partial, kTileStep);
        MultiplyTileStep(operands, count, add, partial, kTileStep);
        CopyRows(partial, kTileStep, count, kTileStep, to, columns);
      }
    }
  }
}

}  // namespace inferd::cpu
