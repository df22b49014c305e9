#include "engine/providers/cpu/vector_rates.h"

#include "engine/providers/cpu/cpu_features.h"
#include "gtest/gtest.h"

namespace inferd::cpu {
namespace {

TEST(VectorRates, AreThoseThatAProcessorCanHave) {
  if (!ComputesBfloat16()) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const double gain = Bfloat16VectorGain();
  EXPECT_GT(gain, 0.1);
  EXPECT_LT(gain, 5);
  EXPECT_EQ(Bfloat16VectorGain(), gain);
}

TEST(VectorRates, SayThatBfloat16GainsWhereThereAreTilesForIt) {
  EXPECT_LE(GainsByBfloat16(), ComputesBfloat16());
  if (ComputesBfloat16Tiles()) {
    EXPECT_TRUE(GainsByBfloat16());
  }
}

}  // namespace
}  // namespace inferd::cpu
