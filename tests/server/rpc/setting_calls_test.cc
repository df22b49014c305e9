#include "server/rpc/setting_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/metrics/log.h"

namespace inferd {
namespace {

using ::testing::HasSubstr;

class LogSettingsTest : public ::testing::Test {
 protected:
  void TearDown() override { ASSERT_TRUE(SetLogSettings(LogSettings()).ok()); }
  absl::Status Change() { return ChangeLogSettings(request_, &response_); }

  inference::LogSettingsRequest request_;
  inference::LogSettingsResponse response_;
};

TEST_F(LogSettingsTest, ShowsAllWhenNothingIsAsked) {
  ASSERT_TRUE(Change().ok());
  EXPECT_TRUE(response_.settings().at("log_info").bool_param());
  EXPECT_EQ(response_.settings().at("log_verbose_level").uint32_param(), 0u);
  EXPECT_EQ(response_.settings().at("log_format").string_param(), "text");
  EXPECT_EQ(response_.settings_size(), 6);
}

TEST_F(LogSettingsTest, ChangesWhatIsNamed) {
  (*request_.mutable_settings())["log_info"].set_bool_param(false);
  (*request_.mutable_settings())["log_verbose_level"].set_uint32_param(2);
  (*request_.mutable_settings())["log_format"].set_string_param("json");
  ASSERT_TRUE(Change().ok());
  EXPECT_FALSE(response_.settings().at("log_info").bool_param());
  ::testing::internal::CaptureStderr();
  LogInfo("unwanted");
  LogDebug("with \"quotes\"\nand lines");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr(R"("level":"debug","message":"with \"quotes\"\u000aand lines"})"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("unwanted")));
}

TEST_F(LogSettingsTest, RefusesWhatItDoesNotKnowAndChangesNothing) {
  (*request_.mutable_settings())["log_error"].set_bool_param(false);
  for (const char* key : {"log_file", "loudness", "log_info"}) {
    auto request = request_;
    (*request.mutable_settings())[key].set_string_param("x");
    EXPECT_TRUE(absl::IsInvalidArgument(ChangeLogSettings(request, &response_))) << key;
  }
  (*request_.mutable_settings())["log_format"].set_string_param("xml");
  EXPECT_TRUE(absl::IsInvalidArgument(Change()));
  EXPECT_TRUE(GetLogSettings().error);
}

TEST(TraceSettingCall, ChangesAndShowsTheSettingsInForce) {
  SpanQueue queue(1);
  Tracer tracer(TraceSettings(), "cpu", &queue);
  inference::TraceSettingRequest request;
  inference::TraceSettingResponse response;
  request.set_model_name("m");
  (*request.mutable_settings())["trace_level"].add_value("TIMESTAMPS");
  (*request.mutable_settings())["trace_rate"].add_value("5");
  ASSERT_TRUE(ChangeTraceSettings(&tracer, request, &response).ok());
  EXPECT_EQ(response.settings().at("trace_level").value(0), "TIMESTAMPS");
  EXPECT_EQ(response.settings().at("trace_rate").value(0), "5");
  EXPECT_EQ(response.settings().at("trace_count").value(0), "-1");
  EXPECT_EQ(response.settings().at("trace_file").value(0), "");
  (*request.mutable_settings())["trace_rate"].set_value(0, "none");
  (*request.mutable_settings())["trace_level"].clear_value();
  EXPECT_TRUE(absl::IsInvalidArgument(ChangeTraceSettings(&tracer, request, &response)));
  EXPECT_TRUE(tracer.Settings("m").timestamps);
}

TEST(TraceSettingCall, ShowsThatNothingIsTracedWithoutATracer) {
  inference::TraceSettingRequest request;
  inference::TraceSettingResponse response;
  ASSERT_TRUE(ChangeTraceSettings(nullptr, request, &response).ok());
  EXPECT_EQ(response.settings().at("trace_level").value(0), "OFF");
  (*request.mutable_settings())["trace_level"].add_value("TIMESTAMPS");
  EXPECT_TRUE(absl::IsUnimplemented(ChangeTraceSettings(nullptr, request, &response)));
}

}  // namespace
}  // namespace inferd
