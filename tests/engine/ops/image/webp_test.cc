#include "tests/support/image_bytes.h"

namespace inferd::testing {
namespace {

constexpr char kLossless[] =
    "UklGRjoAAABXRUJQVlA4TC0AAAAvAkAAAC8gECBIV25DQFB03XICAYJ05eY/QGxybBUoZBsBTu0ekxO6iP7H9AIA";

constexpr char kAlpha[] =
    "UklGRjoAAABXRUJQVlA4TC0AAAAvAkAAEC8gECBIV25DQFB03XICAYJ05SYhQGxybBUoZBsBTu0ekxO6iP7H9AIA";

constexpr char kAnimation[] =
    "UklGRrwAAABXRUJQVlA4WAoAAAASAAAAAgAAAQAAQU5JTQYAAAAAAAAAAABBTk1GRAAAAAAAAAAAAAIAAAEAAAAA"
    "AAJWUDhMLAAAAC8CQAAALyAQIKRTbkNAUPSc6QIBgnPn5j9AbOpYNihkGwEO3WtyABfR/xhfQU5NRkQAAAAAAAAA"
    "AAACAAABAAAAAAACVlA4TCwAAAAvAkAAEC8gECCkU25DQFD0nOkCAYJz5yYhQGzqWDYoZBsBDt1rcgAX0f8YXw==";

TEST(Webp, Decodes) {
  ExpectSixColors(ImageFromBase64(kLossless));
  ExpectSixColors(ImageFromBase64(kAlpha));
}

TEST(Webp, RefusesAnimations) {
  EXPECT_NE(Decoded(ImageFromBase64(kAnimation)).status().message().find("animation"),
            absl::string_view::npos);
}

TEST(Webp, RefusesCutOffDataAndSurvivesDamage) {
  const std::string bytes = ImageFromBase64(kLossless);
  ExpectCutsAreRefused(bytes, bytes.size() - 4);
  DecodeDamaged(bytes);
}

TEST(Webp, RefusesWhatExceedsTheLimit) { ExpectTooLarge(ImageFromBase64(kLossless), 41); }

}  // namespace
}  // namespace inferd::testing
