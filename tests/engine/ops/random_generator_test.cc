#include "engine/ops/random_generator.h"

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(RandomGenerator, GivesTheNumbersOfNumpysRandomState) {
  RandomGenerator uniform(42);
  for (double expected : {0.374540119, 0.950714306, 0.731993942, 0.598658484}) {
    EXPECT_NEAR(uniform.Uniform(), expected, 1e-9);
  }
  RandomGenerator normal(42);
  for (double expected : {0.496714153, -0.138264301, 0.647688538, 1.523029856}) {
    EXPECT_NEAR(normal.Normal(), expected, 1e-9);
  }
}

TEST(RandomGenerator, TakesItsSeedFromTheAttribute) {
  Attributes number, integer, absurd;
  number.Set("seed", 42.7f);
  integer.Set("seed", int64_t{42});
  absurd.Set("seed", 1e30f);
  EXPECT_NEAR(RandomGenerator(number).Uniform(), 0.374540119, 1e-9);
  EXPECT_NEAR(RandomGenerator(integer).Uniform(), 0.374540119, 1e-9);
  EXPECT_NEAR(RandomGenerator(absurd).Uniform(), 0.548813504, 1e-9);
}

}  // namespace
}  // namespace inferd
