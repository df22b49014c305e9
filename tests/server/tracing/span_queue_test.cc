#include "server/tracing/span_queue.h"

#include <gtest/gtest.h>

#include <thread>

namespace inferd {
namespace {

std::vector<Span> Named(std::initializer_list<const char*> names) {
  std::vector<Span> spans;
  for (const char* name : names) {
    spans.emplace_back();
    spans.back().name = name;
  }
  return spans;
}

TEST(SpanQueue, GivesTheOldestFirst) {
  SpanQueue queue(10);
  queue.Push(Named({"a", "b", "c"}));
  const std::vector<Span> taken = queue.Take(2, absl::InfiniteDuration());
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].name, "a");
  EXPECT_EQ(taken[1].name, "b");
  EXPECT_EQ(queue.size(), 1);
}

TEST(SpanQueue, DropsTheOldestWhenFull) {
  SpanQueue queue(2);
  queue.Push(Named({"a", "b"}));
  queue.Push(Named({"c"}));
  EXPECT_EQ(queue.dropped(), 1);
  EXPECT_EQ(queue.Take(2, absl::InfiniteDuration())[0].name, "b");
  queue.CountDropped(4);
  EXPECT_EQ(queue.dropped(), 5);
}

TEST(SpanQueue, GivesWhatThereIsWhenFlushedClosedOrLate) {
  SpanQueue queue(10);
  queue.Push(Named({"a"}));
  EXPECT_EQ(queue.Take(5, absl::ZeroDuration()).size(), 1u);
  queue.Push(Named({"b"}));
  queue.Flush();
  EXPECT_EQ(queue.Take(5, absl::Hours(1)).size(), 1u);
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_TRUE(queue.Take(5, absl::Hours(1)).empty());
}

TEST(SpanQueue, WaitsForSpans) {
  SpanQueue queue(10);
  std::thread producer([&] { queue.Push(Named({"a", "b"})); });
  EXPECT_EQ(queue.Take(2, absl::Hours(1)).size(), 2u);
  producer.join();
}

}  // namespace
}  // namespace inferd
