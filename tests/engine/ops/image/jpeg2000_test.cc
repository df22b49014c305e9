#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kCodestream[] =
    "/0//UQAvAAAAAAADAAAAAgAAAAAAAAAAAAAAAwAAAAIAAAAAAAAAAAADBwEBBwEBBwEB/1IADAAAAAEAAAQEAAH/"
    "XAAEQED/ZAAlAAFDcmVhdGVkIGJ5IE9wZW5KUEVHIHZlcnNpb24gMi41LjT/kAAKAAAAAAAuAAH/k9+AQAvkbhBa"
    "bpV334BACPOgaSf39M/fgDgItPf+7gFf/9k=";

constexpr char kBoxes[] =
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAAgAAAAMAAwcHAAAAAAAP"
    "Y29scgEAAAAAABAAAACmanAyY/9P/1EALwAAAAAAAwAAAAIAAAAAAAAAAAAAAAMAAAACAAAAAAAAAAAAAwcBAQcB"
    "AQcBAf9SAAwAAAABAAAEBAAB/1wABEBA/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40/5AA"
    "CgAAAAAALgAB/5PfgEAL5G4QWm6Vd9+AQAjzoGkn9/TP34A4CLT3/u4BX//Z";

constexpr char kAlpha[] =
    "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAABPanAyaAAAABZpaGRyAAAAAgAAAAMABAcHAAAAAAAP"
    "Y29scgEAAAAAABAAAAAiY2RlZgAEAAAAAAABAAEAAAACAAIAAAADAAMAAQAAAAAAsmpwMmP/T/9RADIAAAAAAAMA"
    "AAACAAAAAAAAAAAAAAADAAAAAgAAAAAAAAAAAAQHAQEHAQEHAQEHAQH/UgAMAAAAAQAABAQAAf9cAARAQP9kACUA"
    "AUNyZWF0ZWQgYnkgT3BlbkpQRUcgdmVyc2lvbiAyLjUuNP+QAAoAAAAAADcAAf+T34BAC+RuEFpulXffgEAI86Bp"
    "J/f0z9+AOAi09/7uAV/PtBgIkEw/03//2Q==";

TEST(Jpeg2000, DecodesCodestreamsAndFiles) {
  for (const char* text : {kCodestream, kBoxes, kAlpha}) ExpectSixColors(ImageFromBase64(text));
}

TEST(Jpeg2000, RefusesCutOffData) {
  const std::string bytes = ImageFromBase64(kCodestream);
  ExpectCutsAreRefused(bytes, bytes.size() - 16);
}

TEST(Jpeg2000, SurvivesDamage) {
  DecodeDamaged(ImageFromBase64(kCodestream));
  DecodeDamaged(ImageFromBase64(kBoxes));
}

TEST(Jpeg2000, RefusesLargeSizesAndCountlessTiles) {
  std::string wide = ImageFromBase64(kCodestream);
  wide[8] = 0x7F;
  ExpectTooLarge(wide);
  std::string tiled = ImageFromBase64(kCodestream);
  tiled.replace(8, 8, std::string("\0\0\4\0\0\0\4\0", 8));   // 1024 x 1024
  tiled.replace(24, 8, std::string("\0\0\0\1\0\0\0\1", 8));  // in tiles of one pixel
  ExpectTooLarge(tiled);
}

}  // namespace
}  // namespace inferd::testing
