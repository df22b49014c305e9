#include "server/rpc/serving_state.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/server/rpc/fake_repository.h"

namespace inferd {
namespace {

TEST(ServingState, IsReadyWhenTheRepositoryIs) {
  FakeRepository fake;
  fake.AddIdentity("m");
  fake.Add("broken", 1, [] { return absl::InvalidArgumentError("bad"); });
  const ServingState before(&fake.Create(), false);
  EXPECT_FALSE(before.IsReady());
  const ServingState state(&fake.Start(), false);
  EXPECT_TRUE(state.IsReady());
  const ServingState strict(&fake.repository(), true);
  EXPECT_FALSE(strict.IsReady());
}

TEST(ServingState, ADrainEndsReadinessButNotService) {
  FakeRepository fake;
  fake.AddIdentity("m");
  ServingState state(&fake.Start(), false);
  EXPECT_TRUE(state.IsModelReady("m", ""));
  EXPECT_TRUE(state.IsModelReady("m", "1"));
  EXPECT_FALSE(state.IsModelReady("m", "2"));
  state.BeginDrain();
  EXPECT_FALSE(state.IsReady());
  EXPECT_FALSE(state.IsModelReady("m", ""));
  EXPECT_TRUE(state.Enter());
  state.Leave();
}

TEST(ServingState, RefusedCallsAreNotCounted) {
  FakeRepository fake;
  ServingState state(&fake.Create(), false);
  EXPECT_TRUE(state.Enter());
  state.RefuseCalls();
  EXPECT_FALSE(state.Enter());
  EXPECT_EQ(state.calls(), 1);
  EXPECT_FALSE(state.WaitIdle(absl::Milliseconds(1)));
  state.Leave();
  EXPECT_TRUE(state.WaitIdle(absl::ZeroDuration()));
}

TEST(ServingState, WaitsForTheLastCall) {
  FakeRepository fake;
  ServingState state(&fake.Create(), false);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(state.Enter());
  state.RefuseCalls();
  std::thread caller([&] {
    for (int i = 0; i < 4; ++i) state.Leave();
  });
  EXPECT_TRUE(state.WaitIdle(absl::Minutes(1)));
  caller.join();
}

}  // namespace
}  // namespace inferd
