#include "config/precision.h"

#include <gtest/gtest.h>

namespace inferd {
namespace {

TEST(Precision, IsReadFromItsName) {
  EXPECT_EQ(ParsePrecision("fp32"), Precision::kFloat32);
  EXPECT_EQ(ParsePrecision("bf16"), Precision::kBfloat16);
  EXPECT_EQ(ParsePrecision("fp16"), Precision::kFloat16);
  EXPECT_EQ(ParsePrecision("int8"), Precision::kInt8);
  EXPECT_EQ(ParsePrecision("auto"), Precision::kAuto);
  EXPECT_EQ(ParsePrecision("BF16"), std::nullopt);
  EXPECT_EQ(ParsePrecision(""), std::nullopt);
}

TEST(Precision, HasTheNameThatItIsReadFrom) {
  for (const Precision precision :
       {Precision::kFloat32, Precision::kBfloat16, Precision::kFloat16, Precision::kInt8,
        Precision::kAuto}) {
    EXPECT_EQ(ParsePrecision(NameOf(precision)), precision);
  }
}

}  // namespace
}  // namespace inferd
