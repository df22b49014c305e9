#include "engine/ops/image/picture.h"

#include "tests/support/image_bytes.h"

namespace inferd::image {
namespace {

TEST(Picture, SizesAreCheckedWithoutOverflow) {
  EXPECT_TRUE(CheckSize(1, 1, 3, 3).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSize(0, 1, 3, 100)));
  EXPECT_TRUE(absl::IsInvalidArgument(CheckSize(1, -1, 3, 100)));
  EXPECT_TRUE(absl::IsResourceExhausted(CheckSize(1, 1, 3, 2)));
  EXPECT_TRUE(absl::IsResourceExhausted(CheckSize(INT64_MAX, INT64_MAX, 8, INT64_MAX)));
  EXPECT_TRUE(absl::IsResourceExhausted(CheckSize(kMostPixels + 1, 1, 1, INT64_MAX)));
}

TEST(Picture, OtherDataAreRefused) {
  for (const char* text : {"", "B", "GIF89a", "RIFF1234WAVE", "P7 1 1", "\x89PN"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(testing::Decoded(text).status())) << text;
  }
}

TEST(Picture, ReasonsOfLibrariesAreEscaped) {
  EXPECT_EQ(DecodingError("PNG", "bad\nchunk").message(),
            "the PNG image cannot be decoded: bad\\nchunk");
}

}  // namespace
}  // namespace inferd::image
