#include "loadtest/report.h"

#include <gmock/gmock.h>

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

using testing::HasSubstr;

TEST(Report, WritesJsonWithEscapedNames) {
  Options options;
  options.model = "a\"b\n";
  options.rate = 50;
  options.seconds = 2;
  Counts total;
  total.latencies.Record(absl::Milliseconds(4));
  total.errors["UNAVAILABLE"] = 3;
  const std::string json = JsonReport(options, total);
  EXPECT_THAT(json, HasSubstr(R"("model":"a\"b\u000a","mode":"open","offered_rate":50)"));
  EXPECT_THAT(json, HasSubstr(R"("answers":1,"rate":0.500)"));
  EXPECT_THAT(json, HasSubstr(R"("mean":4.000000)"));
  EXPECT_THAT(json, HasSubstr(R"("errors":{"UNAVAILABLE":3})"));
}

TEST(Report, SaysInWordsWhatWentWrong) {
  Options options;
  options.model = "digits";
  options.concurrency = 8;
  options.check_equal = true;
  Counts total;
  total.errors["INTERNAL"] = 1;
  total.samples["INTERNAL"] = "it broke";
  const std::string text = TextReport(options, total);
  EXPECT_THAT(text, HasSubstr("digits, closed loop with concurrency 8: 0 answers"));
  EXPECT_THAT(text, HasSubstr("INTERNAL: 1, such as: it broke"));
  EXPECT_THAT(text, HasSubstr("answers unlike the first: 0"));
}

TEST(Report, ShowsProgressOfTheWindow) {
  Counts recent;
  for (int i = 0; i < 10; ++i) recent.latencies.Record(absl::Milliseconds(1));
  EXPECT_THAT(ProgressLine(absl::Seconds(12), absl::Milliseconds(500), recent, 3),
              HasSubstr("20.0 answers/s"));
}

}  // namespace
}  // namespace inferd::loadtest
