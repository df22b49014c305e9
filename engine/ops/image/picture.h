#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace inferd::image {

using Bytes = absl::Span<const uint8_t>;

// A decoded picture: rows from top to bottom, pixels from left to right, each of `channels` bytes:
// 1 is grey; 3 are red, green, blue. A value type.
struct Picture {
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;
  std::vector<uint8_t> pixels;

  int64_t row_bytes() const { return width * channels; }
  uint8_t* row(int64_t y) { return pixels.data() + y * row_bytes(); }
};

// The most pixels a picture may have: its header alone, a few bytes, asks for them.
inline constexpr int64_t kMostPixels = int64_t{1} << 27;

// INVALID_ARGUMENT for a size below 1; RESOURCE_EXHAUSTED for more than kMostPixels, or when
// `bytes_per_pixel` bytes each take more than `limit_bytes`. For decoders, as soon as they know the
// size and before anything of it is allocated.
absl::Status CheckSize(int64_t width, int64_t height, int64_t bytes_per_pixel, int64_t limit_bytes);

// A black picture; the size must have been checked.
Picture BlankPicture(int64_t width, int64_t height, int64_t channels);

// "the PNG image cannot be decoded: REASON", INVALID_ARGUMENT. Characters of the reason that do not
// print are escaped.
absl::Status DecodingError(absl::string_view format, absl::string_view reason);

// One file each. All take data whose first bytes name that format, apply no orientation that
// metadata ask for, drop transparency, and bring deeper samples to 8 bits.
absl::StatusOr<Picture> DecodeBmp(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodeJpeg(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodeJpeg2000(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodePng(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodePnm(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodeTiff(Bytes data, int64_t limit_bytes);
absl::StatusOr<Picture> DecodeWebp(Bytes data, int64_t limit_bytes);

// The picture in any of these formats, which its first bytes tell. INVALID_ARGUMENT for another
// format and for damaged or cut off data, RESOURCE_EXHAUSTED for too large a picture.
absl::StatusOr<Picture> DecodePicture(Bytes data, int64_t limit_bytes);

}  // namespace inferd::image
