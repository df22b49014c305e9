#include "server/metrics/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace inferd {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Log, WritesOneLineAnEvent) {
  ::testing::internal::CaptureStderr();
  LogInfo("a name\nwith a {} line break");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("info a name with a {} line break\n"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(Log, LeavesOutWhatIsBelowTheLevel) {
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(SetLogLevel("warning").ok());
  LogInfo("unimportant");
  LogWarning("important");
  ASSERT_TRUE(SetLogLevel("info").ok());
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, Not(HasSubstr("unimportant")));
  EXPECT_THAT(text, HasSubstr("warning important"));
  EXPECT_FALSE(SetLogLevel("loud").ok());
}

}  // namespace
}  // namespace inferd
