#include "engine/ops/image/byte_order.h"

#include "gtest/gtest.h"

namespace inferd::image {
namespace {

TEST(ByteOrder, ReadsFromEitherEnd) {
  const uint8_t bytes[] = {0, 1, 2, 0x83, 4, 5, 6, 7, 0xFF};
  EXPECT_EQ(ReadLittleEndian(bytes, 1, 2), 0x0201u);
  EXPECT_EQ(ReadBigEndian(bytes, 0, 4), 0x00010283u);
  EXPECT_EQ(ReadBigEndian(bytes, 1, 8), 0x01028304050607FFu);
  EXPECT_EQ(ReadLittleEndian(bytes, 1, 8), 0xFF07060504830201u);
}

}  // namespace
}  // namespace inferd::image
