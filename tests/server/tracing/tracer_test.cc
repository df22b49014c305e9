#include "server/tracing/tracer.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

class TracerTest : public ::testing::Test {
 protected:
  static TraceSettings EachSecond() {
    TraceSettings settings;
    settings.timestamps = true;
    settings.rate = 2;
    return settings;
  }
  std::unique_ptr<RequestTrace> Begin(const std::string& model,
                                      std::optional<SpanContext> parent = std::nullopt) {
    return tracer_.Begin(model, parent, "s=1", absl::UnixEpoch());
  }
  void Set(const std::string& model, const std::string& name, std::vector<std::string> values) {
    TraceOverrides overrides = tracer_.Overrides(model);
    ASSERT_TRUE(ChangeTraceSetting(name, values, &overrides).ok());
    tracer_.SetOverrides(model, overrides);
  }
  int TracedOf(int requests, const std::string& model) {
    int traced = 0;
    for (int i = 0; i < requests; ++i) traced += Begin(model) != nullptr;
    return traced;
  }

  SpanQueue queue_{100};
  Tracer tracer_{EachSecond(), "cpu", &queue_};
};

TEST_F(TracerTest, TracesByRateOverAllModels) {
  EXPECT_TRUE(Begin("a"));
  EXPECT_FALSE(Begin("b"));
  EXPECT_TRUE(Begin("b"));
}

TEST_F(TracerTest, TracesWhatComesSampledAndNotWhatComesUnsampled) {
  SpanContext parent{NewTraceId(), NewSpanId(), true};
  for (int i = 0; i < 3; ++i) {
    const auto trace = Begin("a", parent);
    ASSERT_TRUE(trace);
    EXPECT_EQ(trace->context.trace, parent.trace);
    EXPECT_NE(trace->context.span, parent.span);
    EXPECT_EQ(trace->state, "s=1");
  }
  parent.sampled = false;
  EXPECT_FALSE(Begin("a", parent));
  EXPECT_EQ(Begin("a")->state, "");
}

TEST_F(TracerTest, AModelsSettingsAreItsOwnUntilTheyAreCleared) {
  Set("a", "trace_rate", {"1"});
  EXPECT_EQ(TracedOf(4, "a"), 4);
  EXPECT_EQ(TracedOf(4, "b"), 2);
  Set("", "trace_rate", {"4"});
  EXPECT_EQ(tracer_.Settings("a").rate, 1);
  EXPECT_EQ(tracer_.Settings("b").rate, 4);
  Set("a", "trace_rate", {});
  EXPECT_EQ(tracer_.Settings("a").rate, 4);
  Set("", "trace_rate", {});
  EXPECT_EQ(tracer_.Settings("a").rate, 2);
}

TEST_F(TracerTest, ACountEndsTracing) {
  Set("a", "trace_rate", {"1"});
  Set("a", "trace_count", {"2"});
  EXPECT_EQ(TracedOf(5, "a"), 2);
  Set("a", "trace_count", {"1"});
  EXPECT_EQ(TracedOf(5, "a"), 1);
}

TEST_F(TracerTest, IsEnabledWhileAnyModelIsTraced) {
  EXPECT_TRUE(tracer_.enabled());
  Set("", "trace_level", {"OFF"});
  EXPECT_FALSE(tracer_.enabled());
  Set("a", "trace_level", {"TENSORS"});
  EXPECT_TRUE(tracer_.enabled());
  EXPECT_FALSE(Begin("b"));
  EXPECT_TRUE(Begin("a")->tensors);
}

TEST_F(TracerTest, SpansAreSentAfterSoManyTracesAsIsSet) {
  Set("", "log_frequency", {"2"});
  const auto trace = Begin("a");
  tracer_.End(*trace, std::vector<Span>(3));
  EXPECT_EQ(queue_.size(), 3);
  tracer_.End(*trace, std::vector<Span>(3));
  // Flushed: it does not wait for a hundred.
  EXPECT_EQ(queue_.Take(100, absl::Hours(1)).size(), 6u);
}

}  // namespace
}  // namespace inferd
