#include "engine/ops/image/picture.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace inferd::image {
namespace {

using Decoder = absl::StatusOr<Picture> (*)(Bytes data, int64_t limit_bytes);

struct Signature {
  absl::string_view start;
  Decoder decode;
};

constexpr Signature kSignatures[] = {
    {{"\xFF\xD8\xFF", 3}, DecodeJpeg},
    {{"\x89PNG\r\n\x1A\n", 8}, DecodePng},
    {{"BM", 2}, DecodeBmp},
    {{"II*\0", 4}, DecodeTiff},
    {{"MM\0*", 4}, DecodeTiff},
    {{"II+\0", 4}, DecodeTiff},
    {{"MM\0+", 4}, DecodeTiff},
    {{"\0\0\0\x0CjP  \r\n\x87\n", 12}, DecodeJpeg2000},
    {{"\xFF\x4F\xFF\x51", 4}, DecodeJpeg2000},
    {{"P1", 2}, DecodePnm},
    {{"P2", 2}, DecodePnm},
    {{"P3", 2}, DecodePnm},
    {{"P4", 2}, DecodePnm},
    {{"P5", 2}, DecodePnm},
    {{"P6", 2}, DecodePnm},
};

}  // namespace

absl::Status CheckSize(int64_t width, int64_t height, int64_t bytes_per_pixel,
                       int64_t limit_bytes) {
  if (width < 1 || height < 1) {
    return absl::InvalidArgumentError(absl::StrCat("the image is ", width, " pixels wide and ",
                                                   height, " high; expected at least 1"));
  }
  if (width > kMostPixels || height > kMostPixels || width * height > kMostPixels ||
      width * height > limit_bytes / bytes_per_pixel) {
    return absl::ResourceExhaustedError(
        absl::StrCat("an image of ", width, "x", height, " pixels is larger than the limits of ",
                     kMostPixels, " pixels and ", limit_bytes, " bytes"));
  }
  return absl::OkStatus();
}

Picture BlankPicture(int64_t width, int64_t height, int64_t channels) {
  return {width, height, channels, std::vector<uint8_t>(width * height * channels)};
}

absl::Status DecodingError(absl::string_view format, absl::string_view reason) {
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", format, " image cannot be decoded: ", absl::CHexEscape(reason.substr(0, 200))));
}

absl::StatusOr<Picture> DecodePicture(Bytes data, int64_t limit_bytes) {
  const absl::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  for (const Signature& signature : kSignatures) {
    if (absl::StartsWith(text, signature.start)) return signature.decode(data, limit_bytes);
  }
  if (absl::StartsWith(text, "RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP") {
    return DecodeWebp(data, limit_bytes);
  }
  return absl::InvalidArgumentError(
      absl::StrCat(data.size(), " bytes that start with \"", absl::CHexEscape(text.substr(0, 8)),
                   "\" are no BMP, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP image"));
}

}  // namespace inferd::image
