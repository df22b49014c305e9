#include "config/server_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace inferd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ServerOptions ValidOptions() {
  ServerOptions options;
  options.repository.paths = {"models"};
  return options;
}

std::string ErrorOf(const ServerOptions& options) {
  const absl::Status status = CheckServerOptions(options);
  return status.ok() ? "OK" : std::string(status.message());
}

TEST(ServerOptions, AcceptsTheDefaults) { EXPECT_EQ(ErrorOf(ValidOptions()), "OK"); }

TEST(ServerOptions, NamesTheFlagThatIsWrong) {
  ServerOptions options = ValidOptions();
  options.grpc_port = 70000;
  EXPECT_EQ(ErrorOf(options), "--grpc-port: expected 0 to 65535, got 70000");
  options = ValidOptions();
  options.repository.paths.clear();
  EXPECT_THAT(ErrorOf(options), HasSubstr("--model-repository"));
  options = ValidOptions();
  options.drain_delay = absl::Seconds(-1);
  EXPECT_THAT(ErrorOf(options), HasSubstr("--drain-delay"));
  options = ValidOptions();
  for (const char* endpoint : {"collector", ":4317", "collector:0", "collector:x"}) {
    ServerOptions wrong = options;
    wrong.otlp_endpoint = endpoint;
    EXPECT_THAT(ErrorOf(wrong), HasSubstr("--otlp-endpoint: expected HOST:PORT")) << endpoint;
  }
  options.otlp_ca_path = "ca.crt";
  EXPECT_EQ(ErrorOf(options), "--otlp-ca: expected --otlp-endpoint beside it");
  options = ValidOptions();
  options.max_inflight_bytes = options.max_message_bytes - 1;
  EXPECT_THAT(ErrorOf(options), HasSubstr("--max-inflight-bytes"));
  options = ValidOptions();
  options.log_level = "loud";
  EXPECT_THAT(ErrorOf(options), HasSubstr("'loud'"));
}

TEST(ServerOptions, TakesWhatAConfigFileSets) {
  ServerOptions options = ValidOptions();
  ASSERT_TRUE(ApplyServerConfig(R"(
      model_repository: "/a" model_repository: "/b"
      grpc_port: 0
      strict_readiness: true
      drain_delay_seconds: 1.5
      max_queue_requests: 5
      threads_per_slot: 2)",
                                &options)
                  .ok());
  EXPECT_THAT(options.repository.paths, ElementsAre("/a", "/b"));
  EXPECT_EQ(options.grpc_port, 0);
  EXPECT_EQ(options.http_port, 8000);
  EXPECT_TRUE(options.strict_readiness);
  EXPECT_EQ(options.drain_delay, absl::Milliseconds(1500));
  EXPECT_EQ(options.repository.max_queue_requests, 5);
  EXPECT_EQ(options.engine.threads_per_slot, 2);
}

TEST(ServerOptions, RefusesABrokenConfigFile) {
  ServerOptions options = ValidOptions();
  const absl::Status status = ApplyServerConfig("grpc_port: 1\nno_such_knob: 2", &options);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2"));
  EXPECT_FALSE(ApplyServerConfig("drain_delay_seconds: inf", &options).ok());
}

TEST(ServerOptions, ReadsHowConnectionsAreKept) {
  ServerOptions options = ValidOptions();
  ASSERT_TRUE(ApplyServerConfig("max_connection_age_seconds: 0 keepalive_time_seconds: 0.5 "
                                "allow_compressed_requests: true",
                                &options)
                  .ok());
  EXPECT_EQ(options.connections.max_age, absl::ZeroDuration());
  EXPECT_EQ(options.connections.max_age_grace, absl::Minutes(5));
  EXPECT_EQ(options.connections.keepalive_time, absl::Milliseconds(500));
  EXPECT_TRUE(options.connections.compressed_requests);
  EXPECT_EQ(ErrorOf(options), "OK");
  options.connections.min_ping_interval = absl::ZeroDuration();
  EXPECT_EQ(ErrorOf(options), "--min-ping-interval: expected at least 1 ms, got 0");
  EXPECT_FALSE(ApplyServerConfig("keepalive_time_seconds: nan", &options).ok());
}

}  // namespace
}  // namespace inferd
