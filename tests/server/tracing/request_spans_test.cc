#include "server/tracing/request_spans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace inferd {
namespace {

using ::testing::ElementsAre;

constexpr absl::Time At(int64_t microseconds) { return absl::FromUnixMicros(microseconds); }

RequestTrace Trace() {
  RequestTrace trace;
  trace.context = {NewTraceId(), NewSpanId(), true};
  trace.received = At(10);
  return trace;
}

TracedRequest Executed() {
  TracedRequest request;
  request.model = "m";
  request.version = "3";
  request.request_id = "r";
  request.provider = "cpu";
  request.timing.queued = At(20);
  request.timing.computed = At(30);
  request.timing.compute_input = absl::Microseconds(1);
  request.timing.compute_infer = absl::Microseconds(10);
  request.timing.replied = At(45);
  request.timing.compute_output = absl::Microseconds(5);
  request.timing.batch_rows = 4;
  request.ended = At(60);
  return request;
}

std::map<std::string, Span> ByName(const std::vector<Span>& spans) {
  std::map<std::string, Span> by_name;
  for (const Span& span : spans) by_name[span.name] = span;
  return by_name;
}

TEST(RequestSpans, AnExecutedRequestShowsItsTimes) {
  RequestTrace trace = Trace();
  trace.is_first_of_batch = true;
  trace.batch = std::make_shared<BatchTrace>(BatchTrace{NewSpanId(), {trace.context}});
  auto spans = ByName(MakeSpans(trace, Executed()));
  ASSERT_EQ(spans.size(), 6u);
  const Span& root = spans["InferRequest"];
  EXPECT_EQ(root.begin, At(10));
  EXPECT_EQ(root.end, At(60));
  EXPECT_THAT(
      root.events,
      ElementsAre(std::pair("REQUEST_START", At(10)), std::pair("QUEUE_START", At(20)),
                  std::pair("COMPUTE_START", At(30)), std::pair("COMPUTE_INPUT_END", At(31)),
                  std::pair("COMPUTE_OUTPUT_START", At(41)), std::pair("COMPUTE_END", At(50)),
                  std::pair("REQUEST_END", At(60))));
  EXPECT_EQ(spans["queue"].begin, At(20));
  EXPECT_EQ(spans["queue"].end, At(30));
  EXPECT_EQ(spans["batch"].context.span, trace.batch->span);
  EXPECT_EQ(spans["batch"].links.size(), 1u);
  EXPECT_EQ(spans["compute_infer"].begin, At(31));
  EXPECT_EQ(spans["compute_infer"].end, At(41));
  EXPECT_EQ(spans["compute_infer"].parent, trace.batch->span);
  EXPECT_EQ(spans["compute_output"].parent, root.context.span);
}

TEST(RequestSpans, AMateOfTheBatchLinksToItsSpan) {
  RequestTrace trace = Trace();
  const SpanContext first{NewTraceId(), NewSpanId(), true};
  trace.batch = std::make_shared<BatchTrace>(BatchTrace{NewSpanId(), {first, trace.context}});
  auto spans = ByName(MakeSpans(trace, Executed()));
  EXPECT_EQ(spans.count("batch"), 0u);
  ASSERT_EQ(spans["compute_infer"].links.size(), 1u);
  EXPECT_EQ(spans["compute_infer"].links[0].trace, first.trace);
  EXPECT_EQ(spans["compute_infer"].links[0].span, trace.batch->span);
}

TEST(RequestSpans, ARequestThatDidNotRunEndsInTheQueue) {
  TracedRequest request = Executed();
  request.timing = RequestTiming();
  request.timing.queued = At(20);
  request.status = absl::DeadlineExceededError("late");
  const std::vector<Span> spans = MakeSpans(Trace(), request);
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_TRUE(spans[0].failed);
  EXPECT_EQ(spans[0].failure, "late");
  EXPECT_EQ(spans[1].name, "queue");
  EXPECT_EQ(spans[1].end, At(60));
}

TEST(RequestSpans, ARefusedRequestIsOneSpanBelowItsParent) {
  RequestTrace trace = Trace();
  trace.parent = SpanContext{trace.context.trace, NewSpanId(), true};
  TracedRequest request;
  request.model = "m";
  request.ended = At(11);
  const std::vector<Span> spans = MakeSpans(trace, request);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].parent, trace.parent->span);
}

}  // namespace
}  // namespace inferd
