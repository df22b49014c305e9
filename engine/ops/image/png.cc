#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include "engine/core/status_macros.h"
#include "engine/ops/image/picture.h"

namespace inferd::image {
namespace {

// The library's state. Its errors jump to png_jmpbuf: only functions without objects that need
// destruction call setjmp, and only the library's frames lie between.
struct Reader {
  explicit Reader(Bytes bytes) : data(bytes) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, Fail, [](png_structp, auto) {});
    if (png != nullptr) info = png_create_info_struct(png);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[noreturn]] static void Fail(png_structp png, png_const_charp text) {
    auto* self = static_cast<Reader*>(png_get_error_ptr(png));
    std::snprintf(self->message, sizeof(self->message), "%s", text);
    png_longjmp(png, 1);
  }
  static void Read(png_structp png, png_bytep out, size_t count) {
    auto* self = static_cast<Reader*>(png_get_io_ptr(png));
    if (count > self->data.size() - self->at) png_error(png, "it is cut off");
    std::memcpy(out, self->data.data() + self->at, count);
    self->at += count;
  }

  Bytes data;
  size_t at = 0;
  png_structp png = nullptr;
  png_infop info = nullptr;
  char message[128] = "out of memory";
};

bool ReadHeader(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, &reader, Reader::Read);
  png_read_info(reader.png, reader.info);
  return true;
}

// Palettes, few bits and many bits become 8 bits of grey or of red, green, blue.
bool ChooseFormat(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_expand(reader.png);
  png_set_strip_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return true;
}

bool ReadRows(Reader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_read_image(reader.png, rows);
  return true;
}

}  // namespace

absl::StatusOr<Picture> DecodePng(Bytes data, int64_t limit_bytes) {
  Reader reader(data);
  if (reader.info == nullptr || !ReadHeader(reader)) return DecodingError("PNG", reader.message);
  const int64_t width = png_get_image_width(reader.png, reader.info);
  const int64_t height = png_get_image_height(reader.png, reader.info);
  // Before conversion a row takes up to 8 bytes a pixel.
  RETURN_IF_ERROR(CheckSize(width, height, 8, limit_bytes));
  if (!ChooseFormat(reader)) return DecodingError("PNG", reader.message);
  Picture picture = BlankPicture(width, height, png_get_channels(reader.png, reader.info));
  if (png_get_rowbytes(reader.png, reader.info) != static_cast<size_t>(picture.row_bytes())) {
    return DecodingError("PNG", "its pixel format is unknown");
  }
  std::vector<png_bytep> rows;
  for (int64_t y = 0; y < height; ++y) rows.push_back(picture.row(y));
  if (!ReadRows(reader, rows.data())) return DecodingError("PNG", reader.message);
  return picture;
}

}  // namespace inferd::image
