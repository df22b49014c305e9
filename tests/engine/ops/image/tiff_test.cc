#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kPlain[] =
    "SUkqAAgAAAAKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwADAAAAhgAAAAMBAwABAAAAAQAAAAYBAwABAAAA"
    "AgAAABEBBAABAAAAjAAAABUBAwABAAAAAwAAABYBBAABAAAAAgAAABcBBAABAAAAEgAAABwBAwABAAAAAQAAAAAA"
    "AAAIAAgACAD/AAAA/wAAAP8AAACAgID///8=";

constexpr char kPacked[] =
    "SUkqABgAAACAP8AQOBQSBgBAQl/wuAgACgAAAQMAAQAAAAMAAAABAQMAAQAAAAIAAAACAQMAAwAAAJYAAAADAQMA"
    "AQAAAAUAAAAGAQMAAQAAAAIAAAARAQQAAQAAAAgAAAAVAQMAAQAAAAMAAAAWAQMAAQAAAAIAAAAXAQQAAQAAAA8A"
    "AAAcAQMAAQAAAAEAAAAAAAAACAAIAAgA";

constexpr char kAlpha[] =
    "SUkqAAgAAAALAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwAEAAAAkgAAAAMBAwABAAAAAQAAAAYBAwABAAAA"
    "AgAAABEBBAABAAAAmgAAABUBAwABAAAABAAAABYBBAABAAAAAgAAABcBBAABAAAAGAAAABwBAwABAAAAAQAAAFIB"
    "AwABAAAAAgAAAAAAAAAIAAgACAAIAP8AAAkA/wAJAAD/CQAAAAmAgIAJ////CQ==";

constexpr char kTurned[] =
    "SUkqAAgAAAALAAABBAABAAAAAgAAAAEBBAABAAAAAwAAAAIBAwADAAAAkgAAAAMBAwABAAAAAQAAAAYBAwABAAAA"
    "AgAAABEBBAABAAAAmAAAABIBAwABAAAABgAAABUBAwABAAAAAwAAABYBBAABAAAAAwAAABcBBAABAAAAEgAAABwB"
    "AwABAAAAAQAAAAAAAAAIAAgACAAAAP////8A/wCAgID/AAAAAAA=";

TEST(Tiff, DecodesPixelsAndTransparentOnes) {
  for (const char* text : {kPlain, kPacked, kAlpha}) ExpectSixColors(ImageFromBase64(text));
}

TEST(Tiff, AppliesTheOrientationOfTheRows) { ExpectSixColors(ImageFromBase64(kTurned)); }

TEST(Tiff, RefusesCutOffDataAndSurvivesDamage) {
  const std::string bytes = ImageFromBase64(kPlain);
  ExpectCutsAreRefused(bytes, bytes.size());
  DecodeDamaged(bytes);
  DecodeDamaged(ImageFromBase64(kPacked));
}

TEST(Tiff, RefusesLargeSizesBeforeDecoding) {
  std::string bytes = ImageFromBase64(kPlain);
  bytes[21] = 0x7F;  // of the width
  ExpectTooLarge(bytes);
}

}  // namespace
}  // namespace inferd::testing
