#include "loadtest/recorder.h"

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

inference::ModelInferResponse Answer(const std::string& raw, const std::string& id = "") {
  inference::ModelInferResponse response;
  response.set_id(id);
  response.add_outputs()->set_name("y");
  response.add_raw_output_contents(raw);
  return response;
}

TEST(Recorder, CountsAnswersAndErrorsByCode) {
  Recorder recorder(false);
  recorder.Record(absl::Milliseconds(2), absl::OkStatus(), Answer("a"), true);
  recorder.Record(absl::Milliseconds(1), absl::UnavailableError("draining"), {}, true);
  recorder.Record(absl::Milliseconds(1), absl::UnavailableError("later"), {}, true);
  const Counts total = recorder.Total();
  EXPECT_EQ(total.answered(), 1);
  EXPECT_EQ(total.failed(), 2);
  EXPECT_EQ(total.errors.at("UNAVAILABLE"), 2);
  EXPECT_EQ(total.samples.at("UNAVAILABLE"), "draining");
}

TEST(Recorder, LeavesTheWarmUpOut) {
  Recorder recorder(false);
  recorder.Record(absl::Seconds(1), absl::OkStatus(), Answer("a"), false);
  recorder.Record(absl::Seconds(1), absl::InternalError("x"), {}, false);
  EXPECT_EQ(recorder.Total().answered(), 0);
  EXPECT_EQ(recorder.Total().failed(), 0);
}

TEST(Recorder, FindsAnswersUnlikeTheFirst) {
  Recorder recorder(true);
  recorder.Record(absl::Seconds(1), absl::OkStatus(), Answer("a", "1"), false);
  recorder.Record(absl::Seconds(1), absl::OkStatus(), Answer("a", "2"), true);
  EXPECT_EQ(recorder.Total().unequal, 0);
  recorder.Record(absl::Seconds(1), absl::OkStatus(), Answer("b"), true);
  EXPECT_EQ(recorder.Total().unequal, 1);
}

TEST(Recorder, GivesRecentCountsOnce) {
  Recorder recorder(false);
  recorder.Record(absl::Seconds(1), absl::OkStatus(), Answer("a"), true);
  recorder.RecordUnsent();
  EXPECT_EQ(recorder.TakeRecent().answered(), 1);
  EXPECT_EQ(recorder.TakeRecent().answered(), 0);
  EXPECT_EQ(recorder.Total().answered(), 1);
  EXPECT_EQ(recorder.Total().unsent, 1);
}

}  // namespace
}  // namespace inferd::loadtest
