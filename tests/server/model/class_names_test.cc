#include "server/model/class_names.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(ClassNames, StandUnderTheOutputsName) {
  EXPECT_EQ(ClassNamesKey("output_probability"), "class_names.output_probability");
}

TEST(ClassNames, AreAJsonListOfStrings) {
  EXPECT_EQ(ClassNamesText({}), "[]");
  EXPECT_EQ(ClassNamesText({"setosa", "größer"}), "[\"setosa\", \"größer\"]");
  EXPECT_EQ(ClassNamesText({"a\"b\\c\n"}), "[\"a\\\"b\\\\c\\u000a\"]");
}

}  // namespace
}  // namespace inferd
