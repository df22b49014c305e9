#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

// Where the library reads from, and what it last complained about. Used by one thread at a time.
struct Source {
  Bytes data;
  uint64_t at = 0;
  char message[160] = "it is damaged";

  static Source& Of(thandle_t handle) { return *static_cast<Source*>(handle); }
  static tmsize_t Read(thandle_t handle, void* buffer, tmsize_t count) {
    Source& self = Of(handle);
    if (count <= 0 || self.at >= self.data.size()) return 0;
    const uint64_t got = std::min<uint64_t>(count, self.data.size() - self.at);
    std::memcpy(buffer, self.data.data() + self.at, got);
    self.at += got;
    return static_cast<tmsize_t>(got);
  }
  static tmsize_t Write(thandle_t, void*, tmsize_t) { return -1; }
  static toff_t Seek(thandle_t handle, toff_t offset, int whence) {
    Source& self = Of(handle);
    if (whence == SEEK_CUR) offset += self.at;
    if (whence == SEEK_END) offset += self.data.size();
    return self.at = offset;
  }
  static int Close(thandle_t) { return 0; }
  static toff_t Size(thandle_t handle) { return Of(handle).data.size(); }
  static int Fail(TIFF*, void* user, const char*, const char* format, va_list arguments) {
    Source& self = *static_cast<Source*>(user);
    std::vsnprintf(self.message, sizeof(self.message), format, arguments);
    return 1;  // and nothing is printed
  }
  static int Warn(TIFF*, void*, const char*, const char*, va_list) { return 1; }
};

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};
using File = std::unique_ptr<TIFF, Close>;

File Open(Source& source, int64_t limit_bytes) {
  const std::unique_ptr<TIFFOpenOptions, Close> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), limit_bytes);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Source::Fail, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Source::Warn, nullptr);
  // "m": read by our functions, not mapped.
  return File(TIFFClientOpenExt("image", "rm", &source, Source::Read, Source::Write, Source::Seek,
                                Source::Close, Source::Size, nullptr, nullptr, options.get()));
}

// Colors are multiplied by a separate alpha unless it is taken for one they were multiplied by.
void KeepColors(TIFF* tiff) {
  uint16_t count = 0;
  uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 0 || count == 0) return;
  const std::vector<uint16_t> multiplied(count, EXTRASAMPLE_ASSOCALPHA);
  TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, count, multiplied.data());
}

// The file's first image as it is stored, one word a pixel.
absl::StatusOr<std::vector<uint32_t>> ReadPixels(TIFF* tiff, Source& source, uint32_t width,
                                                 uint32_t height, uint16_t orientation) {
  char reason[1024] = "";
  KeepColors(tiff);
  if (TIFFRGBAImageOK(tiff, reason) == 0) return DecodingError("TIFF", reason);
  std::vector<uint32_t> pixels(size_t{width} * height);
  // Asking for the orientation it has leaves the rows as they are.
  if (TIFFReadRGBAImageOriented(tiff, width, height, pixels.data(), orientation, 1) == 0) {
    return DecodingError("TIFF", source.message);
  }
  return pixels;
}

// The stored pixel at (column, row) goes to where orientation 1 to 8 puts it. Unlike in the other
// formats the orientation is part of the image here, and what reads such files applies it.
Picture Arrange(const std::vector<uint32_t>& stored, int64_t columns, int64_t rows,
                uint16_t orientation) {
  const bool transposed = orientation >= 5;
  const bool right_to_left =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool bottom_up =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Picture picture = BlankPicture(transposed ? rows : columns, transposed ? columns : rows, 3);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const uint32_t pixel = stored[r * columns + c];
      const int64_t across = right_to_left ? columns - 1 - c : c;
      const int64_t down = bottom_up ? rows - 1 - r : r;
      uint8_t* to = transposed ? picture.row(across) + down * 3 : picture.row(down) + across * 3;
      to[0] = static_cast<uint8_t>(TIFFGetR(pixel));
      to[1] = static_cast<uint8_t>(TIFFGetG(pixel));
      to[2] = static_cast<uint8_t>(TIFFGetB(pixel));
    }
  }
  return picture;
}

}  // namespace

absl::StatusOr<Picture> DecodeTiff(Bytes data, int64_t limit_bytes) {
  Source source{data};
  const File tiff = Open(source, limit_bytes);
  if (tiff == nullptr) return DecodingError("TIFF", source.message);
  uint32_t width = 0;
  uint32_t height = 0;
  uint16_t orientation = ORIENTATION_TOPLEFT;
  uint16_t compression = COMPRESSION_NONE;
  if (TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) == 0 ||
      TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height) == 0) {
    return DecodingError("TIFF", "it does not say its size");
  }
  // A word and three bytes a pixel, and the strip or tile that is being decoded.
  RETURN_IF_ERROR(CheckSize(width, height, 15, limit_bytes));
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_COMPRESSION, &compression);
  if (compression == COMPRESSION_OJPEG) {
    return DecodingError("TIFF", "its compression, old-style JPEG, is not supported");
  }
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  if (orientation < 1 || orientation > 8) orientation = ORIENTATION_TOPLEFT;
  ASSIGN_OR_RETURN(const std::vector<uint32_t> pixels,
                   ReadPixels(tiff.get(), source, width, height, orientation));
  return Arrange(pixels, width, height, orientation);
}

}  // namespace inferd::image
