#include "engine/runtime/scan_stack.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inferd {
namespace {

Tensor Pair(float a, float b) { return Tensor::FromValues<float>(Shape({2}), {a, b}); }

std::vector<float> ValuesOf(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

TEST(ScanStack, JoinsMorePartsThanExpectedAlongAnyAxis) {
  for (const int64_t axis : {0, 1, -1}) {
    ScanStack stack(1, 1 << 20);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(stack.Append(Pair(static_cast<float>(i), static_cast<float>(-i))).ok());
    }
    const Tensor joined = stack.Finish(axis, false).value();
    ASSERT_EQ(joined.shape(), axis == 0 ? Shape({40, 2}) : Shape({2, 40}));
    EXPECT_EQ(joined.data<float>()[axis == 0 ? 2 * 39 : 39], 39);
    EXPECT_EQ(joined.data<float>()[79], -39);
  }
}

TEST(ScanStack, PutsTheLastPartFirstWhenReversed) {
  ScanStack stack(2, 1 << 20);
  ASSERT_TRUE(stack.Append(Pair(1, 2)).ok());
  ASSERT_TRUE(stack.Append(Pair(3, 4)).ok());
  EXPECT_THAT(ValuesOf(stack.Finish(0, true).value()), ::testing::ElementsAre(3, 4, 1, 2));
}

TEST(ScanStack, RefusesAPartOfAnotherType) {
  ScanStack stack(2, 1 << 20);
  ASSERT_TRUE(stack.Append(Pair(1, 2)).ok());
  EXPECT_EQ(stack.Append(Tensor::Scalar<float>(1)).code(), absl::StatusCode::kInvalidArgument);
}

TEST(ScanStack, StopsAtTheLimit) {
  ScanStack stack(0, 1000);
  absl::Status status;
  int parts = 0;
  while (status.ok() && parts < 1000) {
    status = stack.Append(Pair(1, 2));
    parts += status.ok();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_EQ(parts, 125);
}

TEST(ScanStack, JoinsStrings) {
  ScanStack stack(0, 1 << 20);
  for (const char* text : {"a", "b"}) {
    ASSERT_TRUE(stack.Append(Tensor::Scalar<std::string>(text)).ok());
  }
  const Tensor joined = stack.Finish(0, false).value();
  EXPECT_THAT(joined.values<std::string>(), ::testing::ElementsAre("a", "b"));
}

}  // namespace
}  // namespace inferd
