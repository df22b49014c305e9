#include "engine/providers/cpu/simd/bfloat16_product.h"

#include <cmath>
#include <vector>

#include "engine/providers/cpu/cpu_features.h"
#include "engine/providers/cpu/simd/bfloat16_tiles.h"
#include "gtest/gtest.h"
#include "tests/engine/providers/cpu/kernels/kernel_case.h"

namespace inferd::cpu {
namespace {

double Rounded(float value) { return static_cast<double>(static_cast<float>(Bfloat16(value))); }

void ExpectAgrees(const Bfloat16Product& product, int64_t rows, bool transposed, bool bias) {
  SCOPED_TRACE(testing::Message() << rows << " x " << product.depth << " x " << product.columns
                                  << (transposed ? " transposed" : "") << (bias ? " + bias" : ""));
  const Tensor a = RandomFloats({rows, product.depth}, -1, 1, 1);
  const Tensor b = RandomFloats({product.depth, product.columns}, -1, 1, 2);
  const Tensor row = RandomFloats({product.columns}, -1, 1, 3);
  const float* weights = b.data<float>();
  const std::vector<Bfloat16> narrow(a.data<float>(), a.data<float>() + a.num_elements());
  std::vector<Bfloat16> packed(product.packed_bytes() / 2, Bfloat16(NAN));
  std::vector<Bfloat16> packed_rows(product.row_bytes(rows) / 2, Bfloat16(NAN));
  const int64_t step = product.panels() * kTileStep + 16;
  const int64_t whole_rows = (rows + kTileProductRows - 1) / kTileProductRows * kTileProductRows;
  std::vector<float> y(whole_rows * step + 1, 7.0f);
  product.Pack(weights, transposed, packed.data());
  product.PackRows(narrow.data(), rows, packed_rows.data());
  // In two parts, the second one first.
  for (const int64_t part : {1, 0}) {
    const TileRegisters registers;
    const int64_t first = part == 0 ? 0 : product.panels() / 2;
    MultiplyBlock(product, {.packed_rows = packed_rows.data(),
                            .rows = rows,
                            .packed = packed.data(),
                            .first_panel = first,
                            .last_panel = part == 0 ? product.panels() / 2 : product.panels(),
                            .next_panel = 0,
                            .bias = bias ? row.data<float>() : nullptr,
                            .sums = y.data() + first * kTileStep,
                            .sums_step = step});
  }
  EXPECT_EQ(y.back(), 7.0f) << "written past the end";
  for (int64_t i = 0; i < rows; i += rows < 8 ? 1 : 5) {
    for (int64_t j = 0; j < product.columns; j += 3) {
      double expected = bias ? static_cast<double>(row.data<float>()[j]) : 0.0;
      for (int64_t k = 0; k < product.depth; ++k) {
        const int64_t at = transposed ? j * product.depth + k : k * product.columns + j;
        expected += static_cast<double>(narrow[i * product.depth + k]) * Rounded(weights[at]);
      }
      ASSERT_NEAR(y[i * step + j], expected, 1e-3) << "row " << i << ", column " << j;
    }
  }
}

TEST(Bfloat16Product, AgreesOverEveryRaggedNumberOfRows) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  for (const int64_t rows : {1, 15, 16, 17, 31, 32, 33, 64, 81, 256}) {
    ExpectAgrees({.depth = 96, .columns = 64}, rows, false, false);
    ExpectAgrees({.depth = 96, .columns = 32}, rows, true, true);
  }
}

TEST(Bfloat16Product, AgreesOverRaggedDepthsAndColumns) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  for (const int64_t ragged : {1, 2, 31, 33, 50, 95}) {
    ExpectAgrees({.depth = ragged, .columns = 40}, 37, false, true);
    ExpectAgrees({.depth = 70, .columns = ragged}, 64, true, false);
    ExpectAgrees({.depth = ragged, .columns = ragged}, 3, true, true);
  }
}

TEST(Bfloat16Product, AddsUpStretchesOfTheDepth) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  for (const int64_t depth : {1536, 1568, 3072, 3200, 4704}) {
    ExpectAgrees({.depth = depth, .columns = 96}, 45, false, false);
    ExpectAgrees({.depth = depth, .columns = 64}, 32, true, true);
  }
}

}  // namespace
}  // namespace inferd::cpu
