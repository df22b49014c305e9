#include "server/tracing/trace_settings.h"

#include <gtest/gtest.h>

#include <vector>

namespace inferd {
namespace {

using Values = std::vector<std::string>;

TEST(TraceSettings, WhatIsSetReplacesWhatIsBelow) {
  TraceOverrides overrides;
  EXPECT_TRUE(overrides.empty());
  EXPECT_TRUE(ChangeTraceSetting("trace_level", Values{"TIMESTAMPS", "TENSORS"}, &overrides).ok());
  EXPECT_TRUE(ChangeTraceSetting("trace_rate", Values{"3"}, &overrides).ok());
  TraceSettings below;
  below.count = 7;
  const TraceSettings settings = overrides.ApplyTo(below);
  EXPECT_TRUE(settings.timestamps && settings.tensors && settings.enabled());
  EXPECT_EQ(settings.rate, 3);
  EXPECT_EQ(settings.count, 7);
}

TEST(TraceSettings, OffIsASettingAndNoValueClears) {
  TraceOverrides overrides;
  TraceSettings below;
  below.timestamps = true;
  EXPECT_TRUE(ChangeTraceSetting("trace_level", Values{"OFF"}, &overrides).ok());
  EXPECT_FALSE(overrides.ApplyTo(below).enabled());
  EXPECT_TRUE(ChangeTraceSetting("trace_level", Values(), &overrides).ok());
  EXPECT_TRUE(overrides.ApplyTo(below).enabled());
  EXPECT_TRUE(overrides.empty());
}

TEST(TraceSettings, RefusesWhatIsNoSetting) {
  TraceOverrides overrides;
  for (const auto& [name, values] :
       std::vector<std::pair<std::string, Values>>{{"trace_level", {"LOUD"}},
                                                   {"trace_level", {"OFF", "TENSORS"}},
                                                   {"trace_rate", {"0"}},
                                                   {"trace_rate", {"1", "2"}},
                                                   {"trace_rate", {"99999999999"}},
                                                   {"trace_count", {"-2"}},
                                                   {"log_frequency", {"-1"}},
                                                   {"trace_file", {"f"}},
                                                   {"trace_mode", {"triton"}},
                                                   {"nothing", {"1"}}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ChangeTraceSetting(name, values, &overrides))) << name;
  }
  EXPECT_TRUE(overrides.empty());
}

}  // namespace
}  // namespace inferd
