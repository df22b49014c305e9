#include "server/tracing/trace_context.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

const std::string kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContext, ReadsAndWritesTheHeader) {
  const std::optional<SpanContext> context = ParseTraceParent(kParent);
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->trace[0], 0x0a);
  EXPECT_EQ(context->span[7], 0x31);
  EXPECT_EQ(TraceParentText(*context), kParent);
}

TEST(TraceContext, TheSampledFlagIsTheLowestBit) {
  std::string header = kParent;
  header.back() = '0';
  EXPECT_FALSE(ParseTraceParent(header)->sampled);
  header.back() = '3';
  EXPECT_TRUE(ParseTraceParent(header)->sampled);
}

TEST(TraceContext, LaterVersionsMayBeLonger) {
  std::string header = kParent;
  header[1] = '1';
  EXPECT_TRUE(ParseTraceParent(header));
  EXPECT_TRUE(ParseTraceParent(header + "-more"));
  EXPECT_FALSE(ParseTraceParent(header + "more"));
  EXPECT_FALSE(ParseTraceParent(kParent + "-more"));
}

TEST(TraceContext, RefusesWhatIsNoHeader) {
  for (const std::string& header :
       {std::string(), std::string("00"), kParent.substr(0, 54), "ff" + kParent.substr(2),
        "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" + std::string(),
        "00-00000000000000000000000000000000-b7ad6b7169203331-01" + std::string(),
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01" + std::string(),
        "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" + std::string(),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g" + std::string()}) {
    EXPECT_FALSE(ParseTraceParent(header)) << header;
  }
}

TEST(TraceContext, IdsDiffer) {
  EXPECT_NE(NewTraceId(), NewTraceId());
  EXPECT_NE(NewSpanId(), NewSpanId());
}

}  // namespace
}  // namespace inferd
