#include "engine/providers/cpu/simd/bfloat16_tiles.h"

#include <cmath>
#include <vector>

#include "engine/providers/cpu/cpu_features.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

int64_t WholeSteps(int64_t count) { return (count + kTileStep - 1) / kTileStep * kTileStep; }

std::vector<Bfloat16> RandomNarrow(int64_t count, uint32_t seed) {
  const Tensor floats = RandomFloats({count}, -2, 2, seed);
  return {floats.data<float>(), floats.data<float>() + count};
}

// a [rows, depth] times b, given as [depth, columns] or transposed, against sums in double.
void ExpectProduct(int64_t rows, int64_t depth, int64_t columns, bool transposed, bool add) {
  SCOPED_TRACE(testing::Message() << rows << " x " << depth << " x " << columns
                                  << (transposed ? " transposed" : "") << (add ? " added" : ""));
  // Rows one element further apart than they are long.
  const std::vector<Bfloat16> a = RandomNarrow(rows * (depth + 1), 1);
  const int64_t b_step = (transposed ? depth : columns) + 1;
  const std::vector<Bfloat16> b = RandomNarrow((transposed ? columns : depth) * b_step, 2);
  const int64_t whole_depth = WholeSteps(depth);
  const int64_t whole_columns = WholeSteps(columns);
  std::vector<Bfloat16> copied(kTileProductRows * whole_depth);
  std::vector<Bfloat16> packed(whole_depth * whole_columns, Bfloat16(NAN));
  std::vector<Bfloat16> buffer(kTileProductRows * whole_depth);
  std::vector<float> c(kTileProductRows * whole_columns, 3.0f);
  CopyToSteps(a.data(), depth + 1, rows, depth, copied.data());
  if (transposed) {
    PackTransposedTiles(b.data(), b_step, columns, depth, buffer.data(), packed.data());
  } else {
    PackTiles(b.data(), b_step, depth, columns, packed.data());
  }
  {
    const TileRegisters registers;
    MultiplyTiles(copied.data(), whole_depth, whole_depth / kTileStep,
                  {packed.data(), whole_depth / kTileStep}, 0, rows, whole_columns, add, c.data(),
                  whole_columns);
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < whole_columns; ++j) {
      double expected = add ? 3.0 : 0.0;
      for (int64_t k = 0; k < depth && j < columns; ++k) {
        expected += static_cast<double>(a[i * (depth + 1) + k]) *
                    static_cast<double>(transposed ? b[j * b_step + k] : b[k * b_step + j]);
      }
      ASSERT_NEAR(c[i * whole_columns + j], expected, 1e-4 + 1e-5 * static_cast<double>(depth))
          << "row " << i << ", column " << j;
    }
  }
}

TEST(Bfloat16Tiles, MultiplyEveryRaggedShape) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  for (const int64_t rows : {1, 2, 15, 16, 17, 31, 32}) {
    for (const int64_t depth : {1, 2, 31, 32, 33, 64, 100}) {
      for (const int64_t columns : {1, 15, 16, 17, 32, 33, 70}) {
        for (const bool transposed : {false, true}) {
          ExpectProduct(rows, depth, columns, transposed, false);
          ExpectProduct(rows, depth, columns, transposed, true);
        }
      }
    }
  }
}

TEST(Bfloat16Tiles, StartAtAnyStepOfTheRightSide) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  constexpr int64_t kDepth = 3 * kTileStep;
  const std::vector<Bfloat16> a = RandomNarrow(kTileProductRows * kTileStep, 1);
  const std::vector<Bfloat16> b = RandomNarrow(kDepth * kTileStep, 2);
  std::vector<Bfloat16> packed(kDepth * kTileStep);
  PackTiles(b.data(), kTileStep, kDepth, kTileStep, packed.data());
  std::vector<float> c(kTileProductRows * kTileStep);
  {
    const TileRegisters registers;
    MultiplyTiles(a.data(), kTileStep, 1, {packed.data(), 3}, 2, 32, kTileStep, false, c.data(),
                  kTileStep);
  }
  double expected = 0;
  for (int64_t k = 0; k < kTileStep; ++k) {
    expected += static_cast<double>(a[5 * kTileStep + k]) *
                static_cast<double>(b[(2 * kTileStep + k) * kTileStep + 7]);
  }
  EXPECT_NEAR(c[5 * kTileStep + 7], expected, 1e-3);
}

}  // namespace
}  // namespace inferd::cpu
