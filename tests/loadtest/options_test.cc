#include "loadtest/options.h"

#include "gtest/gtest.h"

namespace inferd::loadtest {
namespace {

Options ClosedLoop() {
  Options options;
  options.model = "digits";
  options.concurrency = 4;
  return options;
}

TEST(Options, AcceptsOneOfTheTwoLoops) {
  Options options = ClosedLoop();
  EXPECT_TRUE(CheckOptions(options).ok());
  options.rate = 100;
  EXPECT_FALSE(CheckOptions(options).ok());
  options.concurrency = 0;
  EXPECT_TRUE(CheckOptions(options).ok());
  options.rate = 0;
  EXPECT_FALSE(CheckOptions(options).ok());
}

TEST(Options, RefusesValuesOutOfRange) {
  const auto refused = [](auto change) {
    Options options = ClosedLoop();
    change(options);
    return !CheckOptions(options).ok();
  };
  EXPECT_TRUE(refused([](Options& o) { o.model = ""; }));
  EXPECT_TRUE(refused([](Options& o) { o.seconds = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.warmup_seconds = -1; }));
  EXPECT_TRUE(refused([](Options& o) { o.timeout_seconds = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.connections = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.concurrency = 100001; }));
}

TEST(Options, ReadsPairs) {
  const auto pairs = ParsePairs({"a=b.npy", "x=y=c.npy"});
  ASSERT_TRUE(pairs.ok());
  EXPECT_EQ(pairs->at("a"), "b.npy");
  EXPECT_EQ(pairs->at("x=y"), "c.npy");
  for (const char* bad : {"", "a", "=b", "a="}) EXPECT_FALSE(ParsePairs({bad}).ok()) << bad;
}

TEST(Options, ReadsShapes) {
  EXPECT_EQ(*ParseShapeText("1x3x224x224"), (std::vector<int64_t>{1, 3, 224, 224}));
  EXPECT_EQ(*ParseShapeText("0"), (std::vector<int64_t>{0}));
  for (const char* bad : {"", "x", "1x", "1x-2", "axb", "99999999999999999999"}) {
    EXPECT_FALSE(ParseShapeText(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace inferd::loadtest
