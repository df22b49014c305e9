#include "server/metrics/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/metrics/log.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

AccessRecord Record() {
  AccessRecord record;
  record.method = "ModelInfer";
  record.request_id = "r 1";
  record.model = "m";
  record.version = "2";
  record.peer = "ipv4:127.0.0.1:9";
  record.code = absl::StatusCode::kInvalidArgument;
  record.latency = absl::Microseconds(1500);
  record.queue = absl::Microseconds(20);
  record.compute = absl::Microseconds(1400);
  record.batch_rows = 8;
  record.request_bytes = 64;
  record.reply_bytes = 0;
  return record;
}

std::string LineOf(const AccessRecord& record) {
  ::testing::internal::CaptureStderr();
  AccessLog(1).Write(record);
  return ::testing::internal::GetCapturedStderr();
}

TEST(AccessLog, ALineHasItsFields) {
  EXPECT_THAT(LineOf(Record()),
              HasSubstr(" info access method=ModelInfer id=\"r 1\" model=m version=2 "
                        "code=INVALID_ARGUMENT latency_us=1500 queue_us=20 compute_us=1400 "
                        "batch_rows=8 request_bytes=64 reply_bytes=0 peer=ipv4:127.0.0.1:9\n"));
}

TEST(AccessLog, InJsonTheyAreMembers) {
  LogSettings settings = GetLogSettings();
  settings.format = "json";
  ASSERT_TRUE(SetLogSettings(settings).ok());
  const std::string line = LineOf(Record());
  settings.format = "text";
  ASSERT_TRUE(SetLogSettings(settings).ok());
  EXPECT_THAT(line,
              HasSubstr(R"("level":"info","message":"access","method":"ModelInfer","id":"r 1")"));
  EXPECT_THAT(line, HasSubstr(R"("latency_us":1500,)"));
  EXPECT_THAT(line, HasSubstr("\"peer\":\"ipv4:127.0.0.1:9\"}\n"));
}

TEST(AccessLog, LongAndHostileTextsStayOneShortLine) {
  AccessRecord record = Record();
  record.request_id = "a\nb\"c" + std::string(100, 'x');
  for (int i = 0; i < 100; ++i) record.request_id += "\xc3\xa9";
  const std::string line = LineOf(record);
  EXPECT_LT(line.size(), 500u);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(AccessLog, EachSoManyThRequestIsSampled) {
  AccessLog log(3);
  int sampled = 0;
  for (int i = 0; i < 9; ++i) sampled += log.Sample();
  EXPECT_EQ(sampled, 3);
}

}  // namespace
}  // namespace inferd
