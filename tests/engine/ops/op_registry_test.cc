#include "engine/ops/op_registry.h"

#include "gtest/gtest.h"
#include "tests/support/random_node.h"

namespace inferd::testing {
namespace {

constexpr int kModelsEach = 12;
// Sanitized builds are several times slower than what users run.
constexpr double kMaxCpuSeconds = 5;

TEST(EveryOperator, TakesOrRefusesRandomNodes) {
  for (int op = 0; op < NumRandomOperators(); ++op) {
    for (int seed = 0; seed < kModelsEach; ++seed) {
      const uint8_t bytes[] = {static_cast<uint8_t>(op >> 8), static_cast<uint8_t>(op),
                               static_cast<uint8_t>(seed)};
      const RandomNodeModel model = MakeRandomNode(bytes);
      const absl::Status status = CheckRandomNode(model, kMaxCpuSeconds);
      ASSERT_TRUE(status.ok()) << status << "\n" << model.Describe();
    }
  }
}

}  // namespace
}  // namespace inferd::testing
