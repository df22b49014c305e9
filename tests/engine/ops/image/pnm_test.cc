#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

std::vector<uint8_t> Pixels(const std::string& bytes) {
  const auto picture = Decoded(bytes);
  EXPECT_TRUE(picture.ok()) << picture.status();
  return picture.ok() ? picture->pixels : std::vector<uint8_t>();
}

TEST(Pnm, DecodesText) {
  EXPECT_EQ(Pixels("P1\n# bits\n3 2\n010\n1 1 0\n"),
            std::vector<uint8_t>({255, 0, 255, 0, 0, 255}));
  EXPECT_EQ(Pixels("P2 2 1 # deep\n1000 500 1001"), std::vector<uint8_t>({128, 255}));
  EXPECT_EQ(Pixels("P3 1 1 255 1 2 3"), std::vector<uint8_t>({1, 2, 3}));
}

TEST(Pnm, DecodesBytes) {
  EXPECT_EQ(
      Pixels("P4 9 2\n\x80\x80\x7F\xFF"),
      std::vector<uint8_t>({0, 255, 255, 255, 255, 255, 255, 255, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(Pixels("P5 2 1 255\n\n#"), std::vector<uint8_t>({10, 35}));
  EXPECT_EQ(Pixels(std::string("P5 2 1 65535\n\xFF\xFF\x80\x00", 17)),
            std::vector<uint8_t>({255, 128}));
  EXPECT_EQ(Pixels("P6 1 1 255 abc"), std::vector<uint8_t>({97, 98, 99}));
}

TEST(Pnm, RefusesWhatIsCutOffOrNoNumber) {
  for (const char* text :
       {"P1", "P2 1", "P2 1 1", "P2 1 1 0 1", "P2 1 1 65536 1", "P2 1 1 255", "P2 1 1 255 x",
        "P2 2 1 255 1", "P5 1 1 255", "P5 2 1 255 a", "P5 1 1 256 a", "P4 9 1 a", "P1 2 1 12",
        "P2 -1 1 255 1", "P2 0 1 255 1", "P2 1234567890 1 255 1"}) {
    EXPECT_EQ(Decoded(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  ExpectTooLarge("P5 999999999 999999999 255 a");
}

}  // namespace
}  // namespace inferd::testing
