#include <webp/decode.h>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {

absl::StatusOr<Picture> DecodeWebp(Bytes data, int64_t limit_bytes) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data.data(), data.size(), &features) != VP8_STATUS_OK) {
    return DecodingError("WebP", "its header is damaged");
  }
  if (features.has_animation != 0) return DecodingError("WebP", "it is an animation");
  // The lossless format is decoded to 4 bytes a pixel first.
  RETURN_IF_ERROR(CheckSize(features.width, features.height, 7, limit_bytes));
  Picture picture = BlankPicture(features.width, features.height, 3);
  if (WebPDecodeRGBInto(data.data(), data.size(), picture.pixels.data(), picture.pixels.size(),
                        static_cast<int>(picture.row_bytes())) == nullptr) {
    return DecodingError("WebP", "its data are damaged or cut off");
  }
  return picture;
}

}  // namespace inferd::image
