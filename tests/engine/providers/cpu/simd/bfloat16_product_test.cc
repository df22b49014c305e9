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
  std::vector<Bfloat16> packed(product.packed_bytes() / 2);
  std::vector<float> scratch(product.scratch_bytes() / 4, NAN);
  std::vector<float> y(rows * product.columns + 1, 7.0f);
  product.Pack(weights, transposed, packed.data());
  {
    const TileRegisters registers;
    product.Multiply(narrow.data(), rows, packed.data(), bias ? row.data<float>() : nullptr,
                     scratch.data(), y.data());
  }
  EXPECT_EQ(y.back(), 7.0f) << "written past the end";
  for (int64_t i = 0; i < rows; i += rows < 8 ? 1 : 5) {
    for (int64_t j = 0; j < product.columns; j += 3) {
      double expected = bias ? static_cast<double>(row.data<float>()[j]) : 0.0;
      for (int64_t k = 0; k < product.depth; ++k) {
        const int64_t at = transposed ? j * product.depth + k : k * product.columns + j;
        expected += static_cast<double>(narrow[i * product.depth + k]) * Rounded(weights[at]);
      }
      ASSERT_NEAR(y[i * product.columns + j], expected, 1e-3) << "row " << i << ", column " << j;
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

TEST(Bfloat16Product, AddsUpStretchesOfTheDepth) {
  if (!ComputesBfloat16Tiles()) GTEST_SKIP() << "no tile registers";
  for (const int64_t depth : {1536, 1568, 3072, 3200, 4704}) {
    ExpectAgrees({.depth = depth, .columns = 96}, 45, false, false);
    ExpectAgrees({.depth = depth, .columns = 64}, 32, true, true);
  }
}

}  // namespace
}  // namespace inferd::cpu
