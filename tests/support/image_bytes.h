#pragma once

#include <string>

#include "absl/strings/escaping.h"
#include "engine/ops/image/picture.h"
#include "gtest/gtest.h"

namespace inferd::testing {

inline constexpr int64_t kImageLimitBytes = int64_t{64} << 20;

// The encoded image that the text holds in base 64.
inline std::string ImageFromBase64(absl::string_view text) {
  std::string bytes;
  EXPECT_TRUE(absl::Base64Unescape(text, &bytes));
  return bytes;
}

inline absl::StatusOr<image::Picture> Decoded(const std::string& bytes,
                                              int64_t limit_bytes = kImageLimitBytes) {
  return image::DecodePicture({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()},
                              limit_bytes);
}

// Expects a picture of 3 x 2 pixels: red, green, blue; black, grey, white.
inline void ExpectSixColors(const std::string& bytes, int tolerance = 0) {
  const absl::StatusOr<image::Picture> picture = Decoded(bytes);
  ASSERT_TRUE(picture.ok()) << picture.status();
  ASSERT_EQ(picture->width, 3);
  ASSERT_EQ(picture->height, 2);
  ASSERT_EQ(picture->channels, 3);
  const uint8_t expected[] = {255, 0, 0, 0,   255, 0,   0,   0,   255,
                              0,   0, 0, 128, 128, 128, 255, 255, 255};
  for (size_t i = 0; i < sizeof(expected); ++i) {
    EXPECT_NEAR(picture->pixels[i], expected[i], tolerance) << "byte " << i;
  }
}

// Expects an error for every beginning of the image up to `needed` bytes.
inline void ExpectCutsAreRefused(const std::string& bytes, size_t needed) {
  for (size_t size = 0; size < needed; ++size) {
    EXPECT_FALSE(Decoded(bytes.substr(0, size)).ok()) << size << " bytes";
  }
}

// Changes every byte in turn: whatever comes of it, it ends well.
inline void DecodeDamaged(const std::string& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int flipped : {0x01, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ flipped);
      const absl::StatusOr<image::Picture> picture = Decoded(damaged);
      if (!picture.ok()) continue;
      EXPECT_EQ(picture->pixels.size(),
                static_cast<size_t>(picture->height * picture->row_bytes()));
    }
  }
}

// Expects a refusal of the size before anything of it is allocated.
inline void ExpectTooLarge(const std::string& bytes, int64_t limit_bytes = kImageLimitBytes) {
  const absl::Status status = Decoded(bytes, limit_bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace inferd::testing
