#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kPlain[] =
    "Qk1OAAAAAAAAADYAAAAoAAAAAwAAAAIAAAABABgAAAAAABgAAADEDgAAxA4AAAAAAAAAAAAAAAAAgICA////AAAA"
    "AAD/AP8A/wAAAAAA";

constexpr char kTopDown[] =
    "Qk1OAAAAAAAAADYAAAAoAAAAAwAAAP7///8BABgAAAAAABgAAAAAAAAAAAAAAAAAAAAAAAAAAAD/AP8A/wAAAAAA"
    "AAAAgICA////AAAA";

constexpr char kMasks[] =
    "Qk1aAAAAAAAAAEIAAAAoAAAAAwAAAAIAAAABACAAAwAAABgAAAAAAAAAAAAAAAAAAAAAAAAAAP8AAAAA/wAAAAD/"
    "AAAAAACAgIAA////AP8AAAAA/wAAAAD/";

constexpr char kPalette[] =
    "Qk1WAAAAAAAAAE4AAAAoAAAAAwAAAAIAAAABAAQAAAAAAAgAAAAAAAAAAAAAAAYAAAAAAAAAAAD/AAD/AAD/AAAA"
    "AAAAAICAgAD///8ANFAAAAEgAAA=";

constexpr char kRuns8[] =
    "Qk1eAAAAAAAAAE4AAAAoAAAAAwAAAAIAAAABAAgAAQAAABAAAAAAAAAAAAAAAAYAAAAAAAAAAAD/AAD/AAD/AAAA"
    "AAAAAICAgAD///8AAQMBBAEFAAAAAwABAgAAAQ==";

constexpr char kRuns4[] =
    "Qk1aAAAAAAAAAE4AAAAoAAAAAwAAAAIAAAABAAQAAgAAAAwAAAAAAAAAAAAAAAYAAAAAAAAAAAD/AAD/AAD/AAAA"
    "AAAAAICAgAD///8AAjQBUAAAAAMBIAAB";

TEST(Bmp, DecodesEveryKindOfPixel) {
  for (const char* text : {kPlain, kTopDown, kMasks, kPalette, kRuns8, kRuns4}) {
    ExpectSixColors(ImageFromBase64(text));
  }
}

TEST(Bmp, RefusesCutOffDataAndSurvivesDamage) {
  for (const char* text : {kPlain, kPalette, kRuns8}) {
    const std::string bytes = ImageFromBase64(text);
    ExpectCutsAreRefused(bytes, bytes.size() - 3);
    DecodeDamaged(bytes);
  }
}

TEST(Bmp, RefusesLargeSizesBeforeDecoding) {
  std::string bytes = ImageFromBase64(kPlain);
  bytes[21] = 0x7F;  // of the width
  ExpectTooLarge(bytes);
  bytes[21] = static_cast<char>(0x80);  // below 0
  EXPECT_EQ(Decoded(bytes).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace inferd::testing
