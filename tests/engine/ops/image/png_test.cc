#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kColor[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAGklEQVR4nAXBgQEAIAjAIOxyvXyBEHrD3pYPOYQG"
    "gMCnEHEAAAAASUVORK5CYII=";

constexpr char kPalette[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACBAMAAABvWnspAAAAElBMVEX///+AgIAA/wD/AAAAAP8AAACEc2PEAAAA"
    "DklEQVR4nGM04mMIZAAAAeAAk50LdLcAAAAASUVORK5CYII=";

constexpr char kAlpha[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAHklEQVR4nAXBsQEAMAgDIOLWr/XyFFJeitQEe6vl"
    "A06JBoz1NJLLAAAAAElFTkSuQmCC";

constexpr char kBits[] =
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAABAQAAAAAzmykZAAAACklEQVR4nGNYAAAAogCh3I2xzAAAAABJRU5ErkJg"
    "gg==";

TEST(Png, DecodesColorsPalettesAndTransparentPixels) {
  for (const char* text : {kColor, kPalette, kAlpha}) ExpectSixColors(ImageFromBase64(text));
}

TEST(Png, DecodesBitsAsGrey) {
  const auto picture = Decoded(ImageFromBase64(kBits));
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_EQ(picture->channels, 1);
  EXPECT_EQ(picture->pixels, std::vector<uint8_t>({255, 0, 255}));
}

TEST(Png, RefusesCutOffDataAndSurvivesDamage) {
  const std::string bytes = ImageFromBase64(kColor);
  constexpr size_t kEndBytes = 12 + 4;  // the last chunk and the checksum before it
  ExpectCutsAreRefused(bytes, bytes.size() - kEndBytes);
  DecodeDamaged(bytes);
}

TEST(Png, RefusesWhatExceedsTheLimit) { ExpectTooLarge(ImageFromBase64(kColor), 47); }

}  // namespace
}  // namespace inferd::testing
