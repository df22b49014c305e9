#include "server/model/warm_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_model.h"

namespace inferd {
namespace {

using ::testing::Each;

TEST(WarmUp, PutsSmallSizesForVariableDimensions) {
  EXPECT_EQ(WarmUpShape(FakeTensorInfo("x", DType::kInt64, {-1, -1})), (Shape{1, 8}));
  EXPECT_EQ(WarmUpShape(FakeTensorInfo("x", DType::kFloat32, {-1, 3, -1, -1})),
            (Shape{1, 3, 64, 64}));
  EXPECT_EQ(WarmUpShape(FakeTensorInfo("x", DType::kFloat32, {})), Shape());
}

TEST(WarmUp, FillsIntegersWithOnes) {
  FakeModel model({FakeTensorInfo("x", DType::kInt64, {-1, 4})}, {});
  std::vector<int64_t> seen;
  model.set_run([&](absl::Span<const Tensor> inputs, std::vector<Tensor>*) {
    const auto values = inputs[0].values<int64_t>();
    seen.assign(values.begin(), values.end());
    return absl::OkStatus();
  });
  CoreSlot slot(1);
  EXPECT_TRUE(WarmUp(model, model.inputs(), slot).ok());
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_THAT(seen, Each(1));
}

TEST(WarmUp, RefusesAHugeInput) {
  FakeModel model({FakeTensorInfo("x", DType::kFloat32, {1 << 20, 1 << 20})}, {});
  CoreSlot slot(1);
  EXPECT_FALSE(WarmUp(model, model.inputs(), slot).ok());
  EXPECT_TRUE(model.runs().empty());
}

}  // namespace
}  // namespace inferd
