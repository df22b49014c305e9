#include "engine/providers/cpu/simd/targets.h"

#include <cmath>
#include <functional>
#include <vector>

#include "engine/core/tensor.h"
#include "engine/providers/cpu/simd/binary_f32.h"
#include "engine/providers/cpu/simd/copy_plan.h"
#include "engine/providers/cpu/simd/depthwise_f32.h"
#include "engine/providers/cpu/simd/panel_product.h"
#include "engine/providers/cpu/simd/rows_f32.h"
#include "engine/providers/cpu/simd/unary_f32.h"
#include "engine/providers/cpu/simd/winograd_f32.h"
#include "gtest/gtest.h"
#include "hwy/highway.h"

namespace inferd::cpu {
namespace {

constexpr int64_t kCount = 1003;

std::vector<float> Input() {
  std::vector<float> x(kCount);
  for (int64_t i = 0; i < kCount; ++i) x[i] = static_cast<float>(i * 7919 % 2000) / 100.0f - 10.0f;
  return x;
}

using Function = std::function<void(const float* x, float* y)>;

// What runs on vectors, one call for each family.
void WinogradSums(const float* x, float* y) {
  const WinogradShape shape{4, 1, 5, 10, 10, 6, 10, 10, 1, 1};
  std::vector<float> packed(shape.packed_floats());
  const std::vector<float> zeros(shape.zero_floats());
  std::vector<float> scratch(shape.scratch_floats(shape.tiles()));
  PackWinograd(shape, x + 500, packed.data());
  RunWinograd(shape, {.x = x,
                      .x_step = shape.channels,
                      .packed = packed.data(),
                      .zeros = zeros.data(),
                      .bias = x,
                      .add = nullptr,
                      .low = -1e9f,
                      .high = 1e9f,
                      .first_tile = 0,
                      .tiles = shape.tiles(),
                      .first_panel = 0,
                      .last_panel = shape.panels(),
                      .scratch = scratch.data(),
                      .y = y,
                      .y_step = shape.outputs});
  for (int64_t i = 0; i < 600; ++i) y[i] *= 1e-4f;
}

std::vector<Function> Functions() {
  std::vector<Function> functions;
  for (const UnaryF32 op : {UnaryF32::kExp, UnaryF32::kTanh, UnaryF32::kErf, UnaryF32::kGelu,
                            UnaryF32::kSoftplus, UnaryF32::kMish, UnaryF32::kHardSwish}) {
    functions.push_back(
        [op](const float* x, float* y) { RunUnaryF32(op, 1.0f, 1.0f, x, y, kCount); });
  }
  functions.push_back([](const float* x, float* y) {
    RunBinaryF32(BinaryF32::kMax, {17, 59, 59, 1, 1, 0}, x, x, y);
  });
  functions.push_back(
      [](const float* x, float* y) { SoftmaxRowsF32(x, y, 17, kCount / 17, false); });
  functions.push_back(
      [](const float* x, float* y) { LayerNormRowsF32(x, x, x, 1e-5f, y, 17, kCount / 17); });
  functions.push_back([](const float* x, float* y) {
    std::vector<float> scratch(kCount);
    ReduceColumnsF32(ReduceF32::kSum, x, y, 17, kCount / 17, 1.0f, scratch.data());
    ReduceRowsF32(ReduceF32::kMax, x, y + 500, 17, kCount / 17, 1.0f);
  });
  functions.push_back([](const float* x, float* y) {
    CopyPlan({17, kCount / 17}, {1, 17}, 0, {kCount / 17, 1}, 0, sizeof(float)).Run(x, y, 1);
  });
  // Sums of products, scaled to the size of the tolerance.
  functions.push_back(WinogradSums);
  functions.push_back([](const float* x, float* y) {
    const std::vector<float> zeros(21);
    for (int64_t row = 0; row < 4; ++row) {
      DepthwiseRow({3, 1, 1, 21, 4, 9, 4, 9, 1, 1},
                   {x, x + 800, zeros.data(), x, nullptr, -1e9f, 1e9f, y}, row);
    }
    for (int64_t i = 0; i < 756; ++i) y[i] *= 1e-3f;
  });
  for (const int64_t unit : {1, 5}) {
    functions.push_back([unit](const float* x, float* y) {
      constexpr int64_t kRows = 13;
      const PanelProduct product{.depth = 20, .columns = 43, .unit = unit};
      std::vector<float> packed(product.packed_floats());
      product.Pack(x + 100, false, packed.data());
      std::vector<const float*> pointers;
      for (int64_t i = 0; i < product.depth / unit * kRows; ++i) pointers.push_back(x + i * 7);
      PanelBlock block{0, kRows, 0, product.panels(), 0};
      if (unit > 1) block.pointers = pointers.data();
      MultiplyPanels(product,
                     {.x = x,
                      .x_step = product.depth,
                      .packed = packed.data(),
                      .bias = x,
                      .add = nullptr,
                      .low = -1e9f,
                      .high = 1e9f,
                      .y = y,
                      .y_step = product.columns},
                     block);
      for (int64_t i = 0; i < kRows * product.columns; ++i) y[i] *= 1e-4f;
    });
  }
  return functions;
}

class ChosenTarget {
 public:
  explicit ChosenTarget(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
  ~ChosenTarget() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

TEST(SimdTargets, EveryInstructionSetOfThisMachineGivesTheSameAnswers) {
  const std::vector<float> x = Input();
  std::vector<std::vector<float>> expected;
  for (const Function& function : Functions()) {
    function(x.data(), expected.emplace_back(kCount, 0.0f).data());
  }
  int targets = 0;
  for (int64_t remaining = hwy::SupportedTargets() & HWY_TARGETS; remaining != 0;
       remaining &= remaining - 1, ++targets) {
    const ChosenTarget chosen(remaining & -remaining);
    SCOPED_TRACE(hwy::TargetName(remaining & -remaining));
    for (size_t f = 0; f < expected.size(); ++f) {
      std::vector<float> y(kCount, 0.0f);
      Functions()[f](x.data(), y.data());
      for (int64_t i = 0; i < kCount; ++i) {
        ASSERT_NEAR(y[i], expected[f][i], 1e-6f + 2e-6f * std::abs(expected[f][i]))
            << "function " << f << ", element " << i;
      }
    }
  }
  EXPECT_GE(targets, 1);
}

}  // namespace
}  // namespace inferd::cpu
