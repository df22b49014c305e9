#include "engine/ops/number_text.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace inferd {
namespace {

TEST(NumberText, PrintsTheShortestTextThatReadsBack) {
  EXPECT_EQ(FormatNumber(0.1f), "0.1");
  EXPECT_EQ(FormatNumber(0.1), "0.1");
  EXPECT_EQ(FormatNumber(1.0f), "1");
  EXPECT_EQ(FormatNumber(1000000.0f), "1000000");
  EXPECT_EQ(FormatNumber(0.47892547f), "0.47892547");
  EXPECT_EQ(FormatNumber(1e-7), "1e-07");
  EXPECT_EQ(FormatNumber(1e300), "1e+300");
}

TEST(NumberText, NamesSpecialValues) {
  EXPECT_EQ(FormatNumber(std::nan("")), "NaN");
  EXPECT_EQ(FormatNumber(-std::numeric_limits<float>::infinity()), "-INF");
}

TEST(NumberText, ReadsNumbersInAnyCase) {
  EXPECT_EQ(ParseNumber("1E8"), 1e8);
  EXPECT_EQ(ParseNumber("-inf"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(ParseNumber("+INF"), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*ParseNumber("nAn")));
  EXPECT_EQ(ParseNumber("Hello"), std::nullopt);
  EXPECT_EQ(ParseNumber(""), std::nullopt);
}

TEST(NumberText, ReadsOnlyWholeNumbersAsIntegers) {
  EXPECT_EQ(ParseInteger("-12"), -12);
  EXPECT_EQ(ParseInteger("2.5"), std::nullopt);
  EXPECT_EQ(ParseInteger("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace inferd
