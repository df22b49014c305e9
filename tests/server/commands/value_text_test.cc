#include "server/commands/value_text.h"

#include <gtest/gtest.h>

#include <string>

namespace inferd {
namespace {

TEST(ValueText, ShowsTypeAndFirstElements) {
  EXPECT_EQ(ValueText(Tensor::FromValues<float>(Shape{2}, {0.5f, -1})), "float32[2] 0.5 -1");
  EXPECT_EQ(ValueText(Tensor::FromValues<bool>(Shape{1}, {true})), "bool[1] true");
  EXPECT_EQ(ValueText(Tensor::FromValues<std::string>(Shape{1}, {"a\n"})), "string[1] \"a\\n\"");
  EXPECT_EQ(ValueText(Tensor::FromValues<int8_t>(Shape{9}, {1, 2, 3, 4, 5, 6, 7, 8, 9})),
            "int8[9] 1 2 3 4 5 6 7 8 ...");
}

TEST(ValueText, ShowsPartsOfOtherKinds) {
  const Tensor one = Tensor::Scalar<int64_t>(1);
  EXPECT_EQ(ValueText(Tensor::Sequence({one, one})), "sequence of 2: int64[] 1; int64[] 1");
  EXPECT_EQ(ValueText(Tensor::Optional({})), "empty optional");
  EXPECT_EQ(ValueText(Tensor::Map(one, one)), "map int64[] 1 -> int64[] 1");
}

}  // namespace
}  // namespace inferd
